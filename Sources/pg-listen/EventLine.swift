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
}

/// Where lines go that are no events.
enum ControlEvents: String, WordArgument {
  /// Among the events.
  case inline
  /// To stderr.
  case stderr
  /// Nowhere.
  case off
}

/// Prints events of one moment.
struct EventLine {
  private let format: EventFormat
  private let parses: Bool
  private let ending: [UInt8]
  /// What stands before and after a payload, of the last event: many have it in common.
  private var channel: (name: String, text: [UInt8]) = ("", [])
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

  /// Appends one.
  ///
  /// - Throws: ``Failure`` with status 1 for a payload that would be taken for several lines.
  mutating func append(
    _ event: ListenedEvent, _ number: Int, to buffer: inout OutputBuffer
  ) throws(Failure) {
    switch format {
    case .json: appendObject(event, number, to: &buffer)
    case .nul:
      appendPayload(event, to: &buffer)
      buffer.append(0)
    case .payload:
      if event.payload.utf8.contains(UInt8(ascii: "\n")) { throw Self.severalLines(event) }
      appendPayload(event, to: &buffer)
      buffer.append(UInt8(ascii: "\n"))
    case .tsv:
      buffer.append(Self.escaped(event.channel) + "\t")
      switch event.origin {
      case .process(let process): buffer.append("\(process)\t")
      case .row(let id, _): buffer.append("\(id)\t")
      }
      buffer.append(Self.escaped(event.payload) + "\n")
    }
  }

  private mutating func appendObject(
    _ event: ListenedEvent, _ number: Int, to buffer: inout OutputBuffer
  ) {
    buffer.append("{\"event\":\"notify\",\"seq\":")
    Self.append(number, to: &buffer)
    remember(event.channel)
    channel.text.withUnsafeBytes { buffer.append($0) }
    if let bytes = event.rawPayload {
      buffer.append("null,\"payload_b64\":\"\(Base64.encode(bytes))\"")
    } else {
      JSONText.append(event.payload, to: &buffer)
      if parses { appendParsed(event.payload, to: &buffer) }
    }
    switch event.origin {
    case .process(let number):
      remember(number)
      process.text.withUnsafeBytes { buffer.append($0) }
    case .row(let id, let time): buffer.append(",\"id\":\(id),\"stored_at\":\"\(time)\"")
    }
    if event.count > 1 { buffer.append(",\"count\":\(event.count)") }
    ending.withUnsafeBytes { buffer.append($0) }
  }

  private mutating func remember(_ name: String) {
    guard channel.text.isEmpty || channel.name != name else { return }
    var buffer = OutputBuffer()
    buffer.append(",\"channel\":")
    JSONText.append(name, to: &buffer)
    buffer.append(",\"payload\":")
    channel = (name, buffer.bytes)
  }

  private mutating func remember(_ number: Int32) {
    guard process.text.isEmpty || process.number != number else { return }
    process = (number, Array(",\"pid\":\(number)".utf8))
  }

  /// Appends a number that is not negative, without a text of its own.
  private static func append(_ number: Int, to buffer: inout OutputBuffer) {
    var divisor = 1
    while number / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      buffer.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
      divisor /= 10
    }
  }

  /// Appends a payload that is JSON as a member of its own; one that is not is no failure.
  private func appendParsed(_ payload: String, to buffer: inout OutputBuffer) {
    var payload = payload
    payload.withUTF8 { bytes in
      let document = UnsafeRawBufferPointer(bytes)
      guard JSONText.isDocument(document) else { return }
      buffer.append(",\"json\":")
      buffer.withBytes { try? JSONText.appendDocument(document, to: &$0) }
    }
  }

  private func appendPayload(_ event: ListenedEvent, to buffer: inout OutputBuffer) {
    if let bytes = event.rawPayload { buffer.append(bytes) } else { buffer.append(event.payload) }
  }

  /// As COPY escapes its text format.
  private static func escaped(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\\") }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\t": result += "\\t"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\\": result += "\\\\"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func severalLines(_ event: ListenedEvent) -> Failure {
    Failure(
      .localFailure,
      Diagnostic(
        program: ListenCommand.program,
        message: "a payload on channel \"\(event.channel)\" has a newline",
        details: [("HINT", "use --format nul, or json")]))
  }
}

/// The lines that say what happened to the stream.
enum ControlLine {
  /// A source listens.
  static func appendReady(_ source: String, to buffer: inout OutputBuffer) {
    buffer.append("{\"event\":\"ready\",\"source\":")
    JSONText.append(source, to: &buffer)
    buffer.append(",\"at\":\"\(WallClock.now())\"}\n")
  }

  /// Events of a source may be missing here.
  static func append(_ gap: Gap, of source: String, to buffer: inout OutputBuffer) {
    buffer.append("{\"event\":\"gap\",\"source\":")
    JSONText.append(source, to: &buffer)
    buffer.append(",\"down_at\":\"\(gap.downAt)\",\"up_at\":\"\(gap.upAt)\",\"reason\":")
    JSONText.append(gap.reason, to: &buffer)
    buffer.append(",\"last_seq\":\(gap.lastNumber)}\n")
  }
}

/// A time without a connection.
struct Gap {
  let downAt: String
  let upAt: String
  let reason: String
  /// The number of the source's last event before it.
  let lastNumber: Int
}
