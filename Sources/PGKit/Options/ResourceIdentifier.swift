/// The pieces of an IRI as they stand in the text, each with its place, undecoded.
///
/// ```
/// [scheme "://"] [authority] ["/" path] ["?" query] ["#" fragment]
/// ```
///
/// This is the grammar under `pq://`. A piece that is empty counts as absent, except a path.
/// In py-postgresql: `postgresql.resolved.riparse`.
struct ResourceIdentifier {
  typealias Piece = ArraySlice<UInt8>

  private(set) var scheme: Piece?
  private(set) var authority: Piece?
  private(set) var path: Piece?
  private(set) var query: Piece?
  private(set) var fragment: Piece?

  /// Splits a text, as every text can be.
  init(_ text: Piece) {
    var rest = text
    if let end = Self.schemeEnd(in: rest) {
      scheme = rest[..<end]
      rest = rest[(end + 3)...]
    }
    let (authority, afterAuthority) = Self.cut(rest, at: "/?#", from: Self.socketEnd(in: rest))
    self.authority = authority.isEmpty ? nil : authority
    let (path, afterPath) = Self.cut(afterAuthority, at: "?#")
    if path.first == UInt8(ascii: "/") { self.path = path.dropFirst() }
    let (query, afterQuery) = Self.cut(afterPath, at: "#")
    self.query = query.count > 1 ? query.dropFirst() : nil
    fragment = afterQuery.count > 1 ? afterQuery.dropFirst() : nil
  }

  /// Where the scheme ends, if the text has one: before `://`, with nothing before it that only
  /// occurs later in an IRI.
  static func schemeEnd(in text: Piece) -> Int? {
    guard let colon = text.firstIndex(where: { Array("/?#@[:".utf8).contains($0) }),
      text[colon...].starts(with: "://".utf8)
    else { return nil }
    return colon
  }

  /// The place behind `[unix:/dir/file]`, whose slashes end nothing.
  private static func socketEnd(in text: Piece) -> Int {
    let host = (text.firstIndex(of: UInt8(ascii: "@"))).map { text[($0 + 1)...] } ?? text
    for candidate in [text, host] where candidate.starts(with: "[unix:".utf8) {
      if let end = candidate.firstIndex(of: UInt8(ascii: "]")) { return end }
    }
    return text.startIndex
  }

  private static func cut(
    _ text: Piece, at delimiters: StaticString, from start: Int? = nil
  ) -> (Piece, Piece) {
    let ends = delimiters.withUTF8Buffer { Array($0) }
    let end = text[(start ?? text.startIndex)...].firstIndex { ends.contains($0) } ?? text.endIndex
    return (text[..<end], text[end...])
  }
}

extension ResourceIdentifier {
  /// Who and where: the pieces of an authority.
  ///
  /// ```
  /// [user [":" password] "@"] [host [":" port]]
  /// ```
  struct Authority {
    private(set) var user: Piece?
    private(set) var password: Piece?
    /// Everything behind the credentials: hosts with their ports.
    private(set) var hosts: Piece

    /// Splits an authority at its first `@`, and what is before that at its first `:`.
    init(_ text: Piece) {
      hosts = text
      if text.starts(with: "[unix:".utf8) { return }
      guard let end = text.firstIndex(of: UInt8(ascii: "@")) else { return }
      hosts = text[(end + 1)...]
      let credentials = text[..<end]
      let colon = credentials.firstIndex(of: UInt8(ascii: ":"))
      user = credentials[..<(colon ?? end)]
      password = colon.map { credentials[($0 + 1)...] }
    }
  }

  /// One host with its port, as they stand in the text.
  struct HostAndPort {
    private(set) var host: Piece
    private(set) var port: Piece?
    /// Whether the host stood in brackets, which `host` is without.
    private(set) var isBracketed = false

    /// Splits behind the closing bracket, or at the first `:`.
    init(_ text: Piece) throws(PercentEncoding.Fault) {
      var rest = text
      if rest.first == UInt8(ascii: "[") {
        guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else {
          throw .init(message: "the \"[\" has no matching \"]\"", offset: rest.startIndex)
        }
        isBracketed = true
        host = rest[(rest.startIndex + 1)..<end]
        rest = rest[(end + 1)...]
        if let next = rest.first, next != UInt8(ascii: ":") {
          throw .init(message: "\":\" or \"/\" is expected behind the \"]\"", offset: end + 1)
        }
      } else {
        host = rest[..<(rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex)]
        rest = rest[host.endIndex...]
      }
      port = rest.isEmpty ? nil : rest.dropFirst()
    }

    /// Splits a list at the commas that are not inside brackets.
    static func list(_ text: Piece) throws(PercentEncoding.Fault) -> [HostAndPort] {
      var list: [HostAndPort] = []
      var start = text.startIndex
      var isInside = false
      for index in text.indices {
        switch text[index] {
        case UInt8(ascii: "[") where index == start: isInside = true
        case UInt8(ascii: "]"): isInside = false
        case UInt8(ascii: ",") where !isInside:
          list.append(try HostAndPort(text[start..<index]))
          start = index + 1
        default: break
        }
      }
      return list + [try HostAndPort(text[start...])]
    }
  }
}
