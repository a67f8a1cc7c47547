internal import PGCommandLine
internal import PGKit

/// Where lines go that are no events.
enum ControlEvents: String, WordArgument {
  /// Among the events.
  case inline
  /// To stderr.
  case stderr
  /// Nowhere.
  case off
}

/// The lines that say what happened to the stream, without what ends them.
enum ControlLine {
  /// A source listens.
  static func appendReady(_ source: String, to buffer: inout OutputBuffer) {
    buffer.append("{\"event\":\"ready\",\"source\":")
    JSONText.append(source, to: &buffer)
    buffer.append(",\"at\":\"\(WallClock.now())\"}")
  }

  /// Events of a source may be missing here.
  static func append(_ gap: Gap, of source: String, to buffer: inout OutputBuffer) {
    buffer.append("{\"event\":\"gap\",\"source\":")
    JSONText.append(source, to: &buffer)
    buffer.append(",\"down_at\":\"\(gap.downAt)\",\"up_at\":\"\(gap.upAt)\",\"reason\":")
    JSONText.append(gap.reason, to: &buffer)
    buffer.append(",\"last_seq\":\(gap.lastNumber)")
    buffer.append(gap.isComplete ? ",\"complete\":true}" : "}")
  }

  /// So many events are missing here, of the source that lines name if they do.
  static func appendDropped(_ count: Int, of source: String?, to buffer: inout OutputBuffer) {
    buffer.append("{\"event\":\"dropped\"")
    if let source {
      buffer.append(",\"source\":")
      JSONText.append(source, to: &buffer)
    }
    buffer.append(",\"count\":\(count)}")
  }

  /// There was no room for more events, and that is to be the end.
  static func appendOverflow(to buffer: inout OutputBuffer) {
    buffer.append("{\"event\":\"overflow\",\"at\":\"\(WallClock.now())\"}")
  }

  /// A line for stdout with what ends it; `nil` where such lines go elsewhere, which it has by then.
  static func placed(
    _ control: ControlEvents, _ separator: UInt8, _ append: (inout OutputBuffer) -> Void
  ) -> [UInt8]? {
    guard control != .off else { return nil }
    var line = OutputBuffer()
    append(&line)
    if control == .stderr {
      StandardError.print(String(decoding: line.bytes, as: UTF8.self))
      return nil
    }
    line.append(separator)
    return line.bytes
  }
}

/// A time without a connection.
struct Gap {
  let downAt: String
  let upAt: String
  let reason: String
  /// The number of the source's last event before it.
  let lastNumber: Int
  /// Whether none is missing all the same: rows of a table come when there is a connection again.
  let isComplete: Bool
}
