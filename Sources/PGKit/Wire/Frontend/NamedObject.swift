/// What Describe and Close speak of: a prepared statement or a portal, by name.
enum NamedObject: Equatable, Sendable {
  case statement(String)
  case portal(String)

  var name: String {
    switch self {
    case .statement(let name), .portal(let name): name
    }
  }

  func encode(into writer: inout ByteWriter) {
    switch self {
    case .statement(let name):
      writer.writeByte(UInt8(ascii: "S"))
      writer.writeTerminated(name)
    case .portal(let name):
      writer.writeByte(UInt8(ascii: "P"))
      writer.writeTerminated(name)
    }
  }
}

/// Asks for the description of a statement or a portal.
struct Describe: FrontendMessage {
  static let tag: FrontendTag? = .describe

  let object: NamedObject

  func encodeBody(into writer: inout ByteWriter) { object.encode(into: &writer) }
}

/// Closes a statement or a portal; closing what does not exist is no error.
struct Close: FrontendMessage {
  static let tag: FrontendTag? = .close

  let object: NamedObject

  func encodeBody(into writer: inout ByteWriter) { object.encode(into: &writer) }
}
