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
    let secret = password.map { ":" + Self.encoded($0) } ?? ""
    let isIPv6 = host.contains(":") && !host.hasPrefix("/")
    let host = isIPv6 ? "[\(host)]" : Self.encoded(host)
    return "\(scheme)://\(Self.encoded(user))\(secret)@\(host):\(port)/\(Self.encoded(database))"
  }

  /// Percent-encodes everything but RFC 3986's unreserved characters.
  static func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      if isUnreserved(byte) {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += byte < 16 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return result
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch Unicode.Scalar(byte) {
    case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": true
    default: false
    }
  }
}
