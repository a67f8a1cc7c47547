internal import PGCommandLine
internal import PGKit

/// Values separated by tabs, without a header; one line is always one row.
///
/// Tab, newline, carriage return and backslash are escaped as in COPY's text format, of which this is
/// a subset, so what is printed can be copied in again. NULL is `\N` unless told otherwise.
struct TSVPrinter: RowPrinter {
  private let nullText: [UInt8]
  private let hasHeader: Bool
  private let text = TextBuffer()

  init(nullText: String, _ hasHeader: Bool) {
    self.nullText = Array(nullText.utf8)
    self.hasHeader = hasHeader
  }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) {
    guard hasHeader else { return }
    text.fill(&buffer) { writer in
      for (index, column) in columns.enumerated() {
        if index > 0 { writer.append(UInt8(ascii: "\t")) }
        var name = column.name
        name.withUTF8 { Self.append(UnsafeRawBufferPointer($0), &writer) }
      }
      writer.append(UInt8(ascii: "\n"))
    }
  }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) {
    // The null text is lent here, and the rest is static: nothing is retained for a value.
    text.fill(&buffer) { writer in
      nullText.withUnsafeBytes { null in
        batch.withValues { values in Self.append(values, null, &writer) }
      }
    }
  }

  private static func append(
    _ values: RowValues, _ null: UnsafeRawBufferPointer, _ writer: inout TextWriter
  ) {
    var index = 0
    for _ in 0..<values.rowCount {
      for column in 0..<values.columnCount {
        if column > 0 { writer.append(UInt8(ascii: "\t")) }
        if let value = values[index] { append(value, &writer) } else { writer.append(null) }
        index += 1
      }
      writer.append(UInt8(ascii: "\n"))
    }
  }

  @inline(__always)
  private static func append(_ value: UnsafeRawBufferPointer, _ writer: inout TextWriter) {
    guard writer.append(value, lookingFor: mayNeedEscape) else { return }
    writer.takeBack(value.count)
    escape(value, &writer)
  }

  /// Whether there may be something to escape among eight bytes.
  @inline(__always)
  private static func mayNeedEscape(_ word: UInt64) -> Bool {
    EightBytes.hasBelow(0x0E, in: word) || EightBytes.has(UInt8(ascii: "\\"), in: word)
  }

  @inline(never)
  private static func escape(_ value: UnsafeRawBufferPointer, _ writer: inout TextWriter) {
    writer.reserve(2 * value.count)
    for byte in value {
      let letter = Self.escape(byte)
      if letter != nil { writer.put(UInt8(ascii: "\\")) }
      writer.put(letter ?? byte)
    }
  }

  private static func escape(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "\t"): UInt8(ascii: "t")
    case UInt8(ascii: "\n"): UInt8(ascii: "n")
    case UInt8(ascii: "\r"): UInt8(ascii: "r")
    case UInt8(ascii: "\\"): UInt8(ascii: "\\")
    default: nil
    }
  }
}
