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
  func hosts(in piece: Piece) throws(PGError) -> [ResourceIdentifier.HostAndPort] {
    do throws(PercentEncoding.Fault) {
      let hosts = try ResourceIdentifier.HostAndPort.list(piece)
      for host in hosts where !host.isBracketed {
        // A host never has one inside. This is a password with an @ that should have been encoded,
        // and what follows must not be looked up in the DNS.
        if let at = host.host.dropFirst().firstIndex(of: UInt8(ascii: "@")) {
          throw .init(message: "there is a second \"@\"", offset: at)
        }
      }
      return hosts
    } catch { throw .malformedIRI(.host, error) }
  }

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
