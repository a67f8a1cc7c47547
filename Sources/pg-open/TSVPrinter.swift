internal import PGCommandLine
internal import PGKit

/// Values separated by tabs, without a header; one line is always one row.
///
/// Tab, newline, carriage return and backslash are escaped as in COPY's text format, of which this is
/// a subset, so what is printed can be copied in again. NULL is `\N` unless told otherwise.
struct TSVPrinter: RowPrinter {
  private let nullText: [UInt8]
  private let hasHeader: Bool

  init(nullText: String, _ hasHeader: Bool) {
    self.nullText = Array(nullText.utf8)
    self.hasHeader = hasHeader
  }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) {
    guard hasHeader else { return }
    for (index, column) in columns.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: "\t")) }
      var name = column.name
      name.withUTF8 { append(UnsafeRawBufferPointer($0), &buffer) }
    }
    buffer.append(UInt8(ascii: "\n"))
  }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) {
    for row in 0..<batch.count {
      batch.forEachValue(inRow: row) { column, value in
        if column > 0 { buffer.append(UInt8(ascii: "\t")) }
        if let value { append(value, &buffer) } else { buffer.append(nullText) }
      }
      buffer.append(UInt8(ascii: "\n"))
    }
  }

  private func append(_ value: UnsafeRawBufferPointer, _ buffer: inout OutputBuffer) {
    guard value.contains(where: { Self.escape($0) != nil }) else { return buffer.append(value) }
    for byte in value {
      if let letter = Self.escape(byte) {
        buffer.append(UInt8(ascii: "\\"))
        buffer.append(letter)
      } else {
        buffer.append(byte)
      }
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
