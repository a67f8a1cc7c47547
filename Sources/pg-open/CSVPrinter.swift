internal import PGCommandLine
internal import PGKit

/// Comma-separated values (RFC 4180) with a header; lines end with a newline alone, as COPY writes
/// them.
///
/// NULL is the null text, bare; a value that looks the same is quoted, so an empty text is `""`.
struct CSVPrinter: RowPrinter {
  private let nullText: [UInt8]
  private let hasHeader: Bool

  init(nullText: String, _ hasHeader: Bool) {
    self.nullText = Array(nullText.utf8)
    self.hasHeader = hasHeader
  }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) {
    guard hasHeader else { return }
    for (index, column) in columns.enumerated() {
      if index > 0 { buffer.append(UInt8(ascii: ",")) }
      var name = column.name
      name.withUTF8 { append(UnsafeRawBufferPointer($0), isOnly: columns.count == 1, &buffer) }
    }
    buffer.append(UInt8(ascii: "\n"))
  }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) {
    let isOnly = batch.columns.count == 1
    for row in 0..<batch.count {
      batch.forEachValue(inRow: row) { column, value in
        if column > 0 { buffer.append(UInt8(ascii: ",")) }
        if let value {
          append(value, isOnly: isOnly, &buffer)
        } else {
          buffer.append(nullText)
        }
      }
      buffer.append(UInt8(ascii: "\n"))
    }
  }

  private func append(
    _ value: UnsafeRawBufferPointer, isOnly: Bool, _ buffer: inout OutputBuffer
  ) {
    guard mustQuote(value, isOnly: isOnly) else { return buffer.append(value) }
    buffer.append(UInt8(ascii: "\""))
    for byte in value {
      if byte == UInt8(ascii: "\"") { buffer.append(byte) }
      buffer.append(byte)
    }
    buffer.append(UInt8(ascii: "\""))
  }

  /// A lone `\.` would end the data where this is read by COPY.
  private func mustQuote(_ value: UnsafeRawBufferPointer, isOnly: Bool) -> Bool {
    for byte in value where byte <= UInt8(ascii: ",") {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        return true
      default: continue
      }
    }
    if value.count == nullText.count, value.elementsEqual(nullText) { return true }
    return isOnly && value.count == 2 && value[0] == UInt8(ascii: "\\")
  }
}
