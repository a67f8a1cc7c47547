/// libpq's grammar of connection IRIs.
///
/// Source: PostgreSQL manual (18), "Connection URIs", and the behaviour of libpq 15 to 18. The one
/// difference: what cannot be part of a host's name is refused behind credentials, and so is a raw
/// `@` behind the hosts, because it mostly is part of a password that was not encoded.
enum LibpqGrammar {
  typealias Piece = ResourceIdentifier.Piece

  /// Reads what follows `postgresql://`.
  static func parse(_ text: Piece) throws(PGError) -> ConnectionOptions {
    var reading = IRIReading(decoding: PercentEncoding.decodeStrictly)
    var rest = text
    let slash = text.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
    if let at = text[..<slash].firstIndex(of: UInt8(ascii: "@")) {
      try take(credentials: text[..<at], into: &reading)
      rest = text[(at + 1)...]
    }
    let hosts = rest[..<authorityEnd(in: rest)]
    try take(hosts: hosts, followsPassword: rest.startIndex > text.startIndex, into: &reading)
    rest = rest[hosts.endIndex...]
    let database = rest[..<(rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex)]
    try reading.requireNoAt(in: database, as: .database)
    if database.count > 1 {
      try reading.take(database.dropFirst(), as: .database, for: "dbname")
    }
    try take(query: rest[database.endIndex...].dropFirst(), into: &reading)
    return reading.finished()
  }

  private static func take(
    credentials: Piece, into reading: inout IRIReading
  ) throws(PGError) {
    let colon = credentials.firstIndex(of: UInt8(ascii: ":")) ?? credentials.endIndex
    let (user, password) = (credentials[..<colon], credentials[colon...].dropFirst())
    if !user.isEmpty { try reading.take(user, as: .user, for: "user") }
    if !password.isEmpty { try reading.take(password, as: .password, for: "password") }
  }

  /// Where the hosts end: at the first `/` or `?` outside the brackets of an address.
  private static func authorityEnd(in text: Piece) -> Int {
    var isAtHost = true
    var isInside = false
    for index in text.indices {
      switch text[index] {
      case UInt8(ascii: "]"): isInside = false
      case _ where isInside: break
      case UInt8(ascii: "[") where isAtHost: isInside = true
      case UInt8(ascii: "/"), UInt8(ascii: "?"): return index
      default: break
      }
      isAtHost = text[index] == UInt8(ascii: ",")
    }
    return text.endIndex
  }

  private static func take(
    hosts: Piece, followsPassword: Bool, into reading: inout IRIReading
  ) throws(PGError) {
    let list = try reading.hosts(in: hosts, followsPassword: followsPassword)
    var names: [String] = []
    for host in list {
      if host.isBracketed, host.host.isEmpty {
        throw .malformedIRI(
          .host, .init(message: "the brackets are empty", offset: host.host.startIndex))
      }
      names.append(try reading.decode(host.host, as: .host))
    }
    let joined = names.joined(separator: ",")
    if !joined.isEmpty { try reading.take(joined, for: "host", at: hosts.startIndex) }
    if list.count > 1 || list.contains(where: { $0.port?.isEmpty == false }) {
      try reading.take(portsOf: list)
    }
  }

  private static func take(query: Piece, into reading: inout IRIReading) throws(PGError) {
    var rest = query
    while !rest.isEmpty {
      let item = rest[..<(rest.firstIndex(of: UInt8(ascii: "&")) ?? rest.endIndex)]
      try take(item: item, of: query, into: &reading)
      rest = rest[item.endIndex...].dropFirst()
    }
  }

  private static func take(
    item: Piece, of query: Piece, into reading: inout IRIReading
  ) throws(PGError) {
    let parts = item.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
    guard parts.count == 2 else {
      let message = parts.count < 2 ? "\"=\" is missing" : "there is a second \"=\""
      let offset = parts.count < 2 ? item.startIndex : parts[1].endIndex
      throw .malformedIRI(.query, .init(message: message, offset: offset))
    }
    var name = try reading.decode(parts[0], as: .query)
    var value = try reading.decode(parts[1], as: .query)
    // As JDBC drivers write it.
    if name == "ssl", value == "true" { (name, value) = ("sslmode", "require") }
    if OptionKeyword[name] == nil, query.contains(UInt8(ascii: "@")) {
      // This may be the end of a password with a raw "?", so it must not be repeated.
      let fault = PercentEncoding.Fault(message: "no such option", offset: item.startIndex)
      throw .option(PGError.malformedIRI(.query, fault).message, hint: IRIComponent.password.rule)
    }
    try reading.take(value, for: name, at: item.startIndex)
  }
}
