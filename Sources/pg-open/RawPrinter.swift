internal import PGCommandLine
internal import PGKit

/// Values as they are, with tabs between them, a row on each line.
///
/// Nothing is escaped, so a value with a newline, which would look like two rows, is refused. A tab in
/// a value stays one: this is for a single column above all.
struct RawPrinter: RowPrinter {
  private let nullText: [UInt8]
  private var row = 0

  init(nullText: String) { self.nullText = Array(nullText.utf8) }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) { row = 0 }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) throws(Failure) {
    for index in 0..<batch.count {
      row += 1
      var refused: Int?
      let start = buffer.count
      batch.forEachValue(inRow: index) { column, value in
        if column > 0 { buffer.append(UInt8(ascii: "\t")) }
        guard let value else { return buffer.append(nullText) }
        if value.contains(UInt8(ascii: "\n")) { refused = refused ?? column }
        buffer.append(value)
      }
      if let refused {
        buffer.withBytes { $0.removeLast($0.count - start) }
        throw refusal(
          "column \"\(batch.columns[refused].name)\" of row \(row) holds a newline",
          hint: "use --format nul, or a format that escapes")
      }
      buffer.append(UInt8(ascii: "\n"))
    }
  }
}

/// Values as they are, a NUL behind each: for `xargs -0` and `read -d ''`.
///
/// No text of PostgreSQL's holds a NUL.
struct NULPrinter: RowPrinter {
  private let nullText: [UInt8]

  init(nullText: String) { self.nullText = Array(nullText.utf8) }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) {
    for row in 0..<batch.count {
      batch.forEachValue(inRow: row) { _, value in
        if let value { buffer.append(value) } else { buffer.append(nullText) }
        buffer.append(0)
      }
    }
  }
}
