// The format is that of libpq's PQtrace without timestamps: sender, length, message, fields.
//
//   F	27	Parse	 "" "SELECT $1" 1 23
//   B	4	ParseComplete
//
// It differs in two things: bytes that are not printable are escaped in texts too, because a server
// must not write to a terminal through a trace; and what a password could be found from is hidden.
// Source: PostgreSQL manual, "Control Functions" (libpq), PQtrace.

/// Writes down a session's messages as they pass.
struct Trace {
  /// Who sends.
  enum Sender: String { case frontend = "F", backend = "B" }

  private let showsSecrets: Bool
  /// Whether the next packet of the client still has no tag.
  private var isUntagged: Bool
  /// The server's last request of authentication: the client's answers have all the same tag.
  private var request: Int32 = 0
  private var fromFrontend: [UInt8] = []
  private var fromBackend: [UInt8] = []

  /// - Parameters:
  ///   - fromStartup: Whether the startup packet is yet to come.
  ///   - showsSecrets: Whether passwords, keys and proofs are written down too.
  init(fromStartup: Bool = true, showsSecrets: Bool = false) {
    isUntagged = fromStartup
    self.showsSecrets = showsSecrets
  }

  /// The lines of the messages that these bytes complete.
  mutating func lines(_ bytes: UnsafeRawBufferPointer, from sender: Sender) -> [String] {
    var pending: [UInt8] = []
    exchange(&pending, sender)
    pending.append(contentsOf: bytes)
    var lines: [String] = []
    var start = 0
    while let message = next(in: pending[start...], sender) {
      let body = pending[(start + message.header)..<(start + message.size)]
      lines.append(line(body, message, sender))
      start += message.size
    }
    pending.removeFirst(start)
    exchange(&pending, sender)
    return lines
  }

  private mutating func exchange(_ bytes: inout [UInt8], _ sender: Sender) {
    switch sender {
    case .frontend: swap(&bytes, &fromFrontend)
    case .backend: swap(&bytes, &fromBackend)
    }
  }

  // MARK: Messages

  private struct Message {
    let tag: UInt8?
    let header: Int
    let size: Int
  }

  /// The message at the front, if it is whole.
  private func next(in bytes: ArraySlice<UInt8>, _ sender: Sender) -> Message? {
    let hasTag = sender == .backend || !isUntagged
    let header = hasTag ? 5 : 4
    guard bytes.count >= header else { return nil }
    let length = bytes.dropFirst(header - 4).prefix(4).reduce(0) { $0 << 8 | Int($1) }
    // A length that cannot be is the session's to complain of; here it only must not stop the trace.
    let size = max(length, 4) + header - 4
    return bytes.count < size
      ? nil : Message(tag: hasTag ? bytes.first : nil, header: header, size: size)
  }

  private mutating func line(
    _ body: ArraySlice<UInt8>, _ message: Message, _ sender: Sender
  ) -> String {
    let length = message.size - message.header + 4
    var text = "\(sender.rawValue)\t\(length)\t"
    ByteReader.over(Array(body)) { reader in
      guard let layout = layout(message.tag, &reader, sender) else {
        text += "Unknown message: \(Hexadecimal.text(message.tag ?? 0))"
        return
      }
      var fields = ""
      do throws(OutOfBytes) {
        for field in layout.fields { try write(field, &reader, to: &fields) }
      } catch {}
      text += layout.name + (fields.isEmpty ? "" : "\t" + fields)
      if !reader.isAtEnd { text += "\t(malformed: \(reader.remaining) bytes more)" }
    }
    return text
  }

  private mutating func layout(
    _ tag: UInt8?, _ reader: inout ByteReader, _ sender: Sender
  ) -> MessageLayout? {
    guard let tag else {
      var code = reader
      let layout = MessageLayout.untagged((try? code.readInteger(UInt32.self)) ?? 0)
      if layout.name == "StartupMessage" { isUntagged = false }
      return layout
    }
    switch sender {
    case .frontend:
      guard let known = FrontendTag(rawValue: tag) else { return nil }
      return known == .password ? .answer(to: request) : MessageLayout.frontend[known]
    case .backend:
      guard let known = BackendTag(rawValue: tag) else { return nil }
      guard known == .authentication else { return MessageLayout.backend[known] }
      request = (try? reader.readInteger(Int32.self)) ?? -1
      return MessageLayout.authentication[request]
    }
  }
}

// Fields
extension Trace {
  private func write(
    _ field: MessageLayout.Field, _ reader: inout ByteReader, to text: inout String
  ) throws(OutOfBytes) {
    switch field {
    case .byte: text += " " + Self.escaped([try reader.readByte()])
    case .int16: text += " \(try reader.readInteger(UInt16.self))"
    case .int32: text += " \(try reader.readInteger(Int32.self))"
    case .text: text += " \"\(Self.escaped(try reader.readTerminated()))\""
    case .value: try writeValue(&reader, to: &text)
    case .rest: text += " '\(Self.escaped(reader.readRemaining()))'"
    case .letteredTexts: try writeLettered(&reader, to: &text)
    case .texts:
      while reader.unread.first != 0 { try write(.text, &reader, to: &text) }
      try reader.skip(1)
    case .list(let fields):
      let count = Int(try reader.readInteger(UInt16.self))
      try writeList(fields, count, &reader, to: &text)
    case .longList(let fields):
      let count = Int(try reader.readInteger(Int32.self))
      try writeList(fields, count, &reader, to: &text)
    case .secret(let field):
      var hidden = ""
      try write(field, &reader, to: &hidden)
      text += showsSecrets ? hidden : " 'BBBB'"
    }
  }

  private func writeValue(_ reader: inout ByteReader, to text: inout String) throws(OutOfBytes) {
    let length = try reader.readInteger(Int32.self)
    text += " \(length)"
    if length == -1 { return }
    text += " '\(Self.escaped(try reader.readBytes(Int(length))))'"
  }

  private func writeLettered(
    _ reader: inout ByteReader, to text: inout String
  ) throws(OutOfBytes) {
    while true {
      let letter = try reader.readByte()
      text += " " + Self.escaped([letter])
      if letter == 0 { return }
      try write(.text, &reader, to: &text)
    }
  }

  private func writeList(
    _ fields: [MessageLayout.Field], _ count: Int, _ reader: inout ByteReader,
    to text: inout String
  ) throws(OutOfBytes) {
    text += " \(count)"
    for _ in 0..<max(count, 0) {
      for field in fields { try write(field, &reader, to: &text) }
    }
  }

  /// Text as it is but for control characters.
  private static func escaped(_ reader: ByteReader) -> String {
    var reader = reader
    let bytes = reader.readRemaining()
    guard let text = String(validating: bytes, as: UTF8.self) else { return escaped(bytes) }
    return text.unicodeScalars.reduce(into: "") { result, scalar in
      if scalar.properties.generalCategory == .control {
        result += scalar.utf8.map { "\\x" + Hexadecimal.text($0) }.joined()
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
  }

  private static func escaped(_ bytes: [UInt8]) -> String {
    bytes.reduce(into: "") { result, byte in
      if byte >= 0x20, byte < 0x7F {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += "\\x" + Hexadecimal.text(byte)
      }
    }
  }
}

extension Hexadecimal {
  /// The two digits of a byte.
  fileprivate static func text(_ byte: UInt8) -> String {
    String(decoding: encode([byte]), as: UTF8.self)
  }
}
