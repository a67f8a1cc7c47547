internal import PGCommandLine
internal import PGKit

/// How events are printed.
enum EventFormat: String, WordArgument {
  /// One JSON object a line.
  case json
  /// The payload and a newline.
  case payload
  /// The payload and a zero byte.
  case nul
  /// Channel, process (of a durable table: the row's id) and payload, with tabs between them.
  case tsv

  /// What ends an event, and every other line.
  var separator: UInt8 { self == .nul ? 0 : UInt8(ascii: "\n") }
}

/// Prints events of one moment, from the bytes that came: of a flood of them, hardly anything else is
/// done for each.
struct EventLine {
  private let format: EventFormat
  private let parses: Bool
  private let ending: [UInt8]
  /// What stands before and after a payload, of the last event: many have it in common.
  private var channel: (name: [UInt8], text: [UInt8]) = ([], [])
  private var process: (number: Int32, text: [UInt8]) = (0, [])

  /// - Parameters:
  ///   - parses: Whether payloads that are JSON are printed as such, too.
  ///   - time: When they arrived.
  ///   - source: Where they come from, if that is to be said.
  init(_ format: EventFormat, parses: Bool, time: String, source: String?) {
    self.format = format
    self.parses = parses
    var ending = OutputBuffer()
    if let source {
      ending.append(",\"source\":")
      JSONText.append(source, to: &ending)
    }
    ending.append(",\"at\":\"\(time)\"}\n")
    self.ending = ending.bytes
  }

  /// Appends a notification.
  ///
  /// - Throws: ``Failure`` with status 1 for a payload that would be taken for several lines.
  mutating func append(
    _ notification: NotificationBytes, _ number: Int, to buffer: inout OutputBuffer
  ) throws(Failure) {
    let (channel, payload) = (notification.channel, notification.payload)
    guard format == .json else {
      return try appendPlain(channel, payload, Int64(notification.processID), to: &buffer)
    }
    appendHead(number, channel, payload, to: &buffer)
    remember(notification.processID)
    process.text.withUnsafeBytes { buffer.append($0) }
  }

  /// Appends an event that was kept, or a row.
  ///
  /// - Throws: ``Failure`` with status 1 for a payload that would be taken for several lines.
  mutating func append(
    _ event: ListenedEvent, _ number: Int, to buffer: inout OutputBuffer
  ) throws(Failure) {
    var name = event.channel
    let failure = name.withUTF8 { name in
      event.payload.withUnsafeBytes { payload -> Failure? in
        do throws(Failure) {
          try append(event, number, UnsafeRawBufferPointer(name), payload, to: &buffer)
          return nil
        } catch { return error }
      }
    }
    if let failure { throw failure }
  }

  private mutating func append(
    _ event: ListenedEvent, _ number: Int, _ channel: UnsafeRawBufferPointer,
    _ payload: UnsafeRawBufferPointer, to buffer: inout OutputBuffer
  ) throws(Failure) {
    let origin: (name: String, number: Int64, storedAt: String?) =
      switch event.origin {
      case .process(let process): ("pid", Int64(process), nil)
      case .row(let id, let time): ("id", id, time)
      }
    guard format == .json else {
      return try appendPlain(channel, payload, origin.number, to: &buffer)
    }
    appendHead(number, channel, payload, to: &buffer)
    buffer.append(",\"\(origin.name)\":\(origin.number)")
    if let time = origin.storedAt { buffer.append(",\"stored_at\":\"\(time)\"") }
    if event.count > 1 { buffer.append(",\"count\":\(event.count)") }
    ending.withUnsafeBytes { buffer.append($0) }
  }

  // MARK: JSON

  /// Appends an object up to its payload.
  private mutating func appendHead(
    _ number: Int, _ name: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer,
    to buffer: inout OutputBuffer
  ) {
    buffer.append("{\"event\":\"notify\",\"seq\":")
    Self.append(number, to: &buffer)
    remember(name)
    channel.text.withUnsafeBytes { buffer.append($0) }
    do throws(JSONText.NotUTF8) {
      try JSONText.append(payload, to: &buffer)
      if parses { appendParsed(payload, to: &buffer) }
    } catch {
      buffer.append("null,\"payload_b64\":\"\(Base64.encode(Array(payload)))\"")
    }
  }

  private mutating func remember(_ name: UnsafeRawBufferPointer) {
    guard channel.text.isEmpty || !name.elementsEqual(channel.name) else { return }
    var buffer = OutputBuffer()
    buffer.append(",\"channel\":")
    JSONText.append(String(decoding: name, as: UTF8.self), to: &buffer)
    buffer.append(",\"payload\":")
    channel = (Array(name), buffer.bytes)
  }

  /// The member that says which process it was, and what follows it.
  private mutating func remember(_ number: Int32) {
    guard process.text.isEmpty || process.number != number else { return }
    process = (number, Array(",\"pid\":\(number)".utf8) + ending)
  }

  /// Appends a number that is not negative, without a text of its own.
  private static func append(_ number: Int, to buffer: inout OutputBuffer) {
    var (count, limit) = (1, 10)
    while number >= limit, count < 18 { (count, limit) = (count + 1, limit * 10) }
    guard number < limit else { return buffer.append("\(number)") }
    buffer.withBytes { bytes in
      bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: count))
      var (rest, place) = (number, bytes.count - 1)
      while rest > 0 {
        bytes[place] += UInt8(truncatingIfNeeded: rest % 10)
        (rest, place) = (rest / 10, place - 1)
      }
    }
  }

  /// Appends a payload that is JSON as a member of its own; one that is not is no failure.
  private func appendParsed(_ payload: UnsafeRawBufferPointer, to buffer: inout OutputBuffer) {
    guard JSONText.isDocument(payload) else { return }
    buffer.append(",\"json\":")
    buffer.withBytes { try? JSONText.appendDocument(payload, to: &$0) }
  }

  // MARK: Other formats

  private func appendPlain(
    _ channel: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ origin: Int64,
    to buffer: inout OutputBuffer
  ) throws(Failure) {
    switch format {
    case .json: break
    case .nul:
      buffer.append(payload)
      buffer.append(0)
    case .payload:
      if payload.contains(UInt8(ascii: "\n")) { throw Self.severalLines(channel) }
      buffer.append(payload)
      buffer.append(UInt8(ascii: "\n"))
    case .tsv:
      Self.appendEscaped(channel, to: &buffer)
      buffer.append("\t\(origin)\t")
      Self.appendEscaped(payload, to: &buffer)
      buffer.append(UInt8(ascii: "\n"))
    }
  }

  /// As COPY escapes its text format; of what is not UTF-8 each byte is `\x` and its number, which COPY
  /// reads as well.
  private static func appendEscaped(
    _ bytes: UnsafeRawBufferPointer, to buffer: inout OutputBuffer
  ) {
    var parser = Unicode.UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var position = 0
    while true {
      let count: Int
      switch parser.parseScalar(from: &rest) {
      case .emptyInput: return
      case .valid(let scalar):
        count = scalar.count
        if count == 1, let letter = escapes[bytes[position]] {
          buffer.append([UInt8(ascii: "\\"), letter])
        } else {
          buffer.append(UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]))
        }
      case .error(let length):
        count = length
        for byte in bytes[position..<position + count] {
          buffer.append("\\x\(String(byte, radix: 16))")
        }
      }
      position += count
    }
  }

  /// The letters that stand for bytes behind a backslash.
  ///
  /// Source: PostgreSQL manual, COPY, "Text Format".
  private static let escapes: [UInt8: UInt8] = [
    0x08: UInt8(ascii: "b"), 0x09: UInt8(ascii: "t"), 0x0A: UInt8(ascii: "n"),
    0x0B: UInt8(ascii: "v"), 0x0C: UInt8(ascii: "f"), 0x0D: UInt8(ascii: "r"),
    UInt8(ascii: "\\"): UInt8(ascii: "\\"),
  ]

  private static func severalLines(_ channel: UnsafeRawBufferPointer) -> Failure {
    let name = String(decoding: channel, as: UTF8.self)
    return Failure(
      .localFailure,
      Diagnostic(
        program: ListenCommand.program,
        message: "a payload on channel \"\(name)\" has a newline",
        details: [("HINT", "use --format nul, or json")]))
  }
}
