/// What both grammars of IRIs do with the pieces of one: decode them and give them to the options.
struct IRIReading {
  typealias Piece = ResourceIdentifier.Piece

  private(set) var options = ConnectionOptions()
  /// The names of the options that the text has given so far.
  private(set) var given: Set<String> = []
  let decoding: (Piece) throws(PercentEncoding.Fault) -> String

  init(decoding: @escaping (Piece) throws(PercentEncoding.Fault) -> String) {
    self.decoding = decoding
  }

  /// Decodes one piece.
  func decode(_ piece: Piece, as component: IRIComponent) throws(PGError) -> String {
    do throws(PercentEncoding.Fault) { return try decoding(piece) } catch {
      throw .malformedIRI(component, error)
    }
  }

  /// Gives one piece of the IRI's body to an option.
  mutating func take(
    _ piece: Piece, as component: IRIComponent, for name: String
  ) throws(PGError) {
    let text = try decode(piece, as: component)
    try take(text, for: name, at: piece.startIndex, hint: component.rule)
  }

  /// Gives a text to an option.
  ///
  /// - Parameter hint: what to say if the option does not take it.
  mutating func take(
    _ text: String, for name: String, at offset: Int, hint: String? = nil
  ) throws(PGError) {
    let place = "in the IRI at byte \(offset + 1)"
    guard let keyword = OptionKeyword[name] else { throw .unknownOption(name, place: place) }
    do throws(PGError) { try keyword.parse(text, into: &options, place: place) } catch {
      throw .option(error.message, hint: hint)
    }
    given.insert(keyword.name)
  }

  /// Adds a server setting.
  mutating func take(setting name: String, _ value: String) {
    options.setSetting(name, to: value)
  }

  /// Splits a list of hosts with ports.
  ///
  /// - Parameter followsPassword: whether credentials stand before it.
  func hosts(
    in piece: Piece, followsPassword: Bool
  ) throws(PGError) -> [ResourceIdentifier.HostAndPort] {
    do throws(PercentEncoding.Fault) {
      let hosts = try ResourceIdentifier.HostAndPort.list(piece)
      if followsPassword {
        for host in hosts where !host.isBracketed { try Self.check(host.host) }
      }
      return hosts
    } catch { throw .malformedIRI(.host, error) }
  }

  /// Refuses a host that is none: this may be a password with an `@` that should have been encoded,
  /// and what follows must not be looked up in the DNS.
  private static func check(_ host: Piece) throws(PercentEncoding.Fault) {
    // A name in the abstract namespace of sockets begins with one.
    let name = host.first == at ? host.dropFirst() : PercentEncoding.trimmed(host)
    guard let stranger = name.firstIndex(where: { !mayStand(inHost: $0) && $0 != percent }) else {
      return
    }
    let what = name[stranger] == at ? "there is a second \"@\"" : "no host name has this character"
    throw .init(message: "\(what); a password must be percent-encoded", offset: stranger)
  }

  /// Whether a byte may stand in a host's name as it is; every other one may be written as `%XX`.
  static func mayStand(inHost byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
      UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }

  /// Refuses an `@` behind the hosts: a `/` or `#` before it may be part of a password, and the host
  /// before that the rest of it.
  func requireNoAt(in piece: Piece?, as component: IRIComponent) throws(PGError) {
    guard let offset = piece?.firstIndex(of: Self.at) else { return }
    let message = "there is an \"@\" behind the host; a password must be percent-encoded"
    throw .malformedIRI(component, .init(message: message, offset: offset))
  }

  private static let at = UInt8(ascii: "@")
  private static let percent = UInt8(ascii: "%")

  /// Takes the ports of a list of hosts; those without one have the default port.
  mutating func take(portsOf hosts: [ResourceIdentifier.HostAndPort]) throws(PGError) {
    var texts: [String] = []
    for host in hosts {
      let text = try host.port.map { piece throws(PGError) in try decode(piece, as: .port) } ?? ""
      var scratch = IRIReading(decoding: decoding)
      let offset = host.port?.startIndex ?? host.host.startIndex
      try scratch.take(text, for: "port", at: offset, hint: IRIComponent.port.rule)
      texts.append(text)
    }
    let offset = hosts.first?.host.startIndex ?? 0
    try take(texts.joined(separator: ","), for: "port", at: offset)
  }

  /// The options, once everything has been taken.
  func finished() -> ConnectionOptions { options }
}
