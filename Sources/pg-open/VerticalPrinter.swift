internal import PGCommandLine
internal import PGKit

/// Each value on a line of its own behind its column's name, for rows that are too wide for a table.
struct VerticalPrinter: RowPrinter {
  private let nullText: String
  private var names: [String] = []
  private var count = 0

  init(nullText: String) { self.nullText = nullText }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) {
    let shown = columns.map { ShownText($0.name) }
    let width = shown.map(\.width).max() ?? 0
    names = shown.map { $0.text + String(repeating: " ", count: width - $0.width) }
    count = 0
  }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) {
    for row in 0..<batch.count {
      count += 1
      buffer.append("-[ row \(count) ]-\n")
      batch.forEachValue(inRow: row) { column, value in
        buffer.append(names[column])
        buffer.append(" | ")
        buffer.append(value.map { ShownText(String(decoding: $0, as: UTF8.self)).text } ?? nullText)
        buffer.append(UInt8(ascii: "\n"))
      }
    }
  }
}
