/// Connection options as an IRI, in either of its two dialects. The scheme chooses the dialect:
///
/// - `pq://`, `pqs://` and no scheme at all: py-postgresql's grammar.
///   `pq://user:password@host:port/database?[driver_param]=v&server_setting=v#search,path`
/// - `postgres://` and `postgresql://`: libpq's grammar, where every key of the query is an option.
///   `postgresql://user:password@host1:port1,host2:port2/dbname?option=v`
///
/// Source: py-postgresql, `postgresql.iri`; PostgreSQL manual, "Connection URIs".
public enum ConnectionIRI {
  /// The two grammars.
  public enum Dialect: Sendable, CaseIterable {
    /// py-postgresql's: a bare key of the query is a server setting, one in brackets an option.
    case pq
    /// libpq's: a key of the query is an option.
    case libpq
  }

  /// Reads an IRI.
  ///
  /// `pqs://` is `pq://` with `sslmode=require`, unless the IRI asks for more.
  ///
  /// - Throws: ``PGError`` with ``SQLState/clientParameterError``, which says at which byte the
  ///   text cannot be read and how that component is written. It never repeats a password.
  ///
  /// In py-postgresql: `postgresql.iri.parse`.
  public static func parse(_ text: String) throws(PGError) -> ConnectionOptions {
    let text = ArraySlice(text.utf8)
    if let position = text.firstIndex(of: 0) {
      throw .option("the IRI holds a NUL byte at byte \(position + 1)")
    }
    let scheme = ResourceIdentifier.schemeEnd(in: text).map { text[..<$0] }
    switch scheme.map({ String(decoding: $0, as: UTF8.self).lowercased() }) {
    case nil, "pq": return try PQGrammar.parse(text)
    case "pqs": return try secured(PQGrammar.parse(text))
    case "postgres", "postgresql":
      return try LibpqGrammar.parse(text.dropFirst((scheme?.count ?? 0) + 3))
    default:
      throw .option(
        "the IRI's scheme is not known",
        hint: "It is one of pq://, pqs://, postgres://, postgresql://.")
    }
  }

  /// Writes options as an IRI that reads back as the same options.
  ///
  /// In libpq's dialect, which has no server settings, they become `-c` switches in `options`.
  ///
  /// - Parameters:
  ///   - options: What to write.
  ///   - dialect: Whose grammar it is to have.
  ///   - obscuringPassword: Whether stars stand in place of every secret.
  ///
  /// In py-postgresql: `postgresql.iri.serialize`.
  public static func format(
    _ options: ConnectionOptions, dialect: Dialect = .pq, obscuringPassword: Bool = false
  ) -> String {
    switch dialect {
    case .pq: PQGrammar.format(options, obscuringPassword: obscuringPassword)
    case .libpq: LibpqGrammar.format(options, obscuringPassword: obscuringPassword)
    }
  }

  private static func secured(_ options: ConnectionOptions) throws(PGError) -> ConnectionOptions {
    var options = options
    let mode = options.sslMode ?? .require
    guard mode.requiresTLS else {
      throw .option(
        "the scheme pqs:// asks for TLS and [sslmode] in the same IRI does not",
        hint: "Write pq://, or an sslmode of require, verify-ca or verify-full.")
    }
    options.sslMode = mode
    return options
  }
}

/// A part of an IRI that errors name.
enum IRIComponent: String {
  case user, password, host, port, database, query, fragment

  /// How the component is written, for the hint of an error.
  var rule: String {
    switch self {
    case .user, .password:
      "In a user or password write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F, # as %23."
    case .host:
      "An IPv6 address stands in brackets; in a host write % as %25, / as %2F, @ as %40. "
        + "In a user or password too, @ is written %40 and / is written %2F, as is whatever else "
        + "is neither letter nor digit."
    case .port:
      "A port is a number from 1 to 65535. If this is part of a password, "
        + "write / as %2F, @ as %40, ? as %3F, # as %23 in it."
    case .database:
      "In a database name write % as %25, @ as %40, ? as %3F, # as %23, a space as %20. "
        + "In a user or password too, @ is written %40 and / is written %2F."
    case .query: "A query is key=value&key=value; in both write % as %25, & as %26, = as %3D."
    case .fragment:
      "The fragment is a list of schemas; in a name write % as %25, @ as %40, a comma as %2C. "
        + "In a user or password, # is written %23 and @ is written %40."
    }
  }
}

extension PGError {
  /// A part of an IRI that cannot be read.
  static func malformedIRI(_ component: IRIComponent, _ fault: PercentEncoding.Fault) -> PGError {
    .option(
      "the \(component.rawValue) in the IRI cannot be read at byte \(fault.offset + 1): "
        + fault.message,
      hint: component.rule)
  }
}
