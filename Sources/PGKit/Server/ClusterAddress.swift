/// Where a cluster's server answers, and as whom to log in.
struct ClusterAddress: Sendable, Hashable {
  /// A socket directory, or a numeric address.
  var host: String
  var port: Int
  var user: String
  var password: String?

  /// Options for a connection to `database`, complete enough to need nothing from the environment.
  func connectionOptions(database: String) -> ConnectionOptions {
    var options = ConnectionOptions()
    options.hosts = [host]
    options.ports = [port]
    options.user = user
    options.password = password
    options.database = database
    return options
  }

  /// The address as an IRI; a socket directory is the host, percent-encoded.
  func iri(scheme: String, database: String) -> String {
    Self.iri(of: connectionOptions(database: database), scheme: scheme)
  }

  static func iri(of options: ConnectionOptions, scheme: String) -> String {
    let dialect: ConnectionIRI.Dialect = scheme == "pq" ? .pq : .libpq
    let text = ConnectionIRI.format(options, dialect: dialect)
    // libpq's dialect has two names.
    return scheme + text.drop { $0 != ":" }
  }
}
