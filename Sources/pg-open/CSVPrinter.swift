internal import PGCommandLine
internal import PGKit

/// Comma-separated values (RFC 4180) with a header; lines end with a newline alone, as COPY writes
/// them.
///
/// NULL is the null text, bare; a value that looks the same is quoted, so an empty text is `""`.
struct CSVPrinter: RowPrinter {
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
      nullText.withUnsafeBytes { null in
        for (index, column) in columns.enumerated() {
          if index > 0 { writer.append(UInt8(ascii: ",")) }
          var name = column.name
          name.withUTF8 {
            Self.append(UnsafeRawBufferPointer($0), isOnly: columns.count == 1, null, &writer)
          }
        }
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
    let isOnly = values.columnCount == 1
    var index = 0
    for _ in 0..<values.rowCount {
      for column in 0..<values.columnCount {
        if column > 0 { writer.append(UInt8(ascii: ",")) }
        if let value = values[index] {
          append(value, isOnly: isOnly, null, &writer)
        } else {
          writer.append(null)
        }
        index += 1
      }
      writer.append(UInt8(ascii: "\n"))
    }
  }

  @inline(__always)
  private static func append(
    _ value: UnsafeRawBufferPointer, isOnly: Bool, _ null: UnsafeRawBufferPointer,
    _ writer: inout TextWriter
  ) {
    if mustQuote(value, isOnly: isOnly, null) {
      quote(value, &writer)
    } else {
      writer.append(value)
    }
  }

  @inline(never)
  private static func quote(_ value: UnsafeRawBufferPointer, _ writer: inout TextWriter) {
    writer.reserve(2 * value.count + 2)
    writer.put(UInt8(ascii: "\""))
    for byte in value {
      if byte == UInt8(ascii: "\"") { writer.put(byte) }
      writer.put(byte)
    }
    writer.put(UInt8(ascii: "\""))
  }

  @inline(__always)
  private static func mustQuote(
    _ value: UnsafeRawBufferPointer, isOnly: Bool, _ null: UnsafeRawBufferPointer
  ) -> Bool {
    var index = 0
    while index + 8 <= value.count {
      // All that make quotes necessary are below 0x2D, as few other characters are: space is one.
      let word = value.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      if EightBytes.hasBelow(0x2D, in: word), hasMark(value, from: index, to: index + 8) {
        return true
      }
      index += 8
    }
    if hasMark(value, from: index, to: value.count) { return true }
    if value.count == null.count, value.elementsEqual(null) { return true }
    return isOnly && isEndOfData(value)
  }

  @inline(__always)
  private static func hasMark(_ value: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Bool
  {
    var index = start
    while index < end {
      let byte = value[index]
      if byte <= UInt8(ascii: ","),
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
          || byte == UInt8(ascii: "\r")
      {
        return true
      }
      index += 1
    }
    return false
  }

  /// A lone `\.` would end the data where this is read by COPY.
  private static func isEndOfData(_ value: UnsafeRawBufferPointer) -> Bool {
    value.count == 2 && value[0] == UInt8(ascii: "\\") && value[1] == UInt8(ascii: ".")
  }
}
