/// py-postgresql's grammar of connection IRIs.
///
/// ```
/// [scheme "://"] [user [":" password] "@"] [host [":" port]] ["/" database ["/" …]]
///   ["?" [driver_param]=value "&" setting=value] ["#" schema "," schema]
/// ```
///
/// Source: py-postgresql, `postgresql.iri`. Beyond it: everything is decoded as UTF-8, also the
/// database; hosts may be a list; an unknown `[driver_param]`, a port that is no number and what
/// looks like a password that was not encoded are errors: a raw `@` or `/` in it.
enum PQGrammar {
  typealias Piece = ResourceIdentifier.Piece

  /// Reads an IRI with or without its scheme.
  static func parse(_ text: Piece) throws(PGError) -> ConnectionOptions {
    let identifier = ResourceIdentifier(text)
    var reading = IRIReading(decoding: PercentEncoding.decodeLeniently)
    if let authority = identifier.authority { try take(authority: authority, into: &reading) }
    try reading.requireNoAt(in: identifier.path, as: .database)
    try reading.requireNoAt(in: identifier.fragment, as: .fragment)
    // What follows a further slash is kept by py-postgresql's parser and dropped by its `open`.
    let database = identifier.path?.prefix { $0 != UInt8(ascii: "/") }
    if let database, !database.isEmpty {
      try reading.take(database, as: .database, for: "dbname")
    }
    if let query = identifier.query { try take(query: query, into: &reading) }
    if let fragment = identifier.fragment { try take(fragment: fragment, into: &reading) }
    return reading.finished()
  }

  private static func take(authority: Piece, into reading: inout IRIReading) throws(PGError) {
    let authority = ResourceIdentifier.Authority(authority)
    if let user = authority.user { try reading.take(user, as: .user, for: "user") }
    if let password = authority.password {
      try reading.take(password, as: .password, for: "password")
    }
    guard !authority.hosts.isEmpty else { return }
    let list = try reading.hosts(in: authority.hosts, followsPassword: authority.user != nil)
    if list.count == 1, list[0].isBracketed, list[0].host.starts(with: "unix:".utf8) {
      let path = try reading.decode(list[0].host.dropFirst(5), as: .host)
      try reading.take(socketPath(path), for: "unix", at: list[0].host.startIndex)
    } else {
      var names: [String] = []
      for host in list { names.append(try reading.decode(host.host, as: .host)) }
      let offset = authority.hosts.startIndex
      try reading.take(names.joined(separator: ","), for: "host", at: offset)
    }
    if list.contains(where: { $0.port?.isEmpty == false }) { try reading.take(portsOf: list) }
  }

  /// A path between brackets: as it is, or with every slash written as a colon.
  private static func socketPath(_ text: String) -> String {
    text.hasPrefix(":") ? String(text.map { $0 == ":" ? "/" : $0 }) : text
  }

  private static func take(query: Piece, into reading: inout IRIReading) throws(PGError) {
    for item in query.split(separator: UInt8(ascii: "&")) {
      guard let equals = item.firstIndex(of: UInt8(ascii: "=")) else {
        throw .malformedIRI(.query, .init(message: "\"=\" is missing", offset: item.startIndex))
      }
      let (key, value) = (item[..<equals], item[(equals + 1)...])
      let text = try reading.decode(value, as: .query)
      if key.first == UInt8(ascii: "["), key.last == UInt8(ascii: "]"), key.count > 1 {
        let name = try reading.decode(key.dropFirst().dropLast(), as: .query)
        try take(driverParameter: name, text, at: item.startIndex, into: &reading)
      } else if !key.isEmpty {
        reading.take(setting: try reading.decode(key, as: .query), text)
      }
    }
  }

  /// The first one wins, and the IRI's body wins over all; `[settings]` never meant anything.
  private static func take(
    driverParameter name: String, _ value: String, at offset: Int, into reading: inout IRIReading
  ) throws(PGError) {
    let isGiven = OptionKeyword[name].map { reading.given.contains($0.name) } ?? false
    if isGiven || name == "settings" { return }
    try reading.take(value, for: name, at: offset)
  }

  private static func take(fragment: Piece, into reading: inout IRIReading) throws(PGError) {
    var schemas: [String] = []
    let names = fragment.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    for name in names { schemas.append(try reading.decode(name, as: .fragment)) }
    reading.take(setting: SearchPath.name, SearchPath.format(schemas))
  }
}
