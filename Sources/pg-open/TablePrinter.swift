internal import PGCommandLine
internal import PGKit

/// An aligned table for people.
///
/// The widths are those of the first rows, as far as a megabyte goes, so that memory stays constant: a
/// later value that is wider pushes its line to the right.
struct TablePrinter: RowPrinter {
  /// How many rows are looked at for the widths.
  static let sample = 1000
  /// How many bytes of them are kept at most before the widths are settled.
  static let sampleSize = 1 << 20

  private let nullText: String
  private var columns: [Column] = []
  private var widths: [Int] = []
  /// The rows looked at, until the widths are settled.
  private var waiting: [[ShownText]]? = []
  private var waitingSize = 0
  private var count = 0

  init(nullText: String) { self.nullText = nullText }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) {
    self.columns = columns
    widths = columns.map { ShownText($0.name).width }
    waiting = []
    waitingSize = 0
    count = 0
  }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) {
    for row in 0..<batch.count {
      let cells = texts(of: row, in: batch)
      count += 1
      if waiting == nil {
        append(cells, &buffer)
      } else {
        waiting?.append(cells)
        for (index, cell) in cells.enumerated() {
          widths[index] = max(widths[index], cell.width)
          waitingSize += cell.text.utf8.count
        }
        if count == Self.sample || waitingSize > Self.sampleSize { settle(&buffer) }
      }
    }
  }

  mutating func end(_ buffer: inout OutputBuffer) {
    settle(&buffer)
    buffer.append("(\(count) row\(count == 1 ? "" : "s"))\n\n")
  }

  /// Prints the head and the rows that waited for it.
  private mutating func settle(_ buffer: inout OutputBuffer) {
    guard let rows = waiting else { return }
    waiting = nil
    append(columns.map { ShownText($0.name) }, isHead: true, &buffer)
    buffer.append(
      widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "+") + "\n")
    for row in rows { append(row, &buffer) }
  }

  private func append(
    _ cells: [ShownText], isHead: Bool = false, _ buffer: inout OutputBuffer
  ) {
    var line = ""
    for (index, cell) in cells.enumerated() {
      if index > 0 { line += "|" }
      let padding = String(repeating: " ", count: max(widths[index] - cell.width, 0))
      let alignsRight = !isHead && columns[index].isNumber
      line += alignsRight ? " \(padding)\(cell.text) " : " \(cell.text)\(padding) "
    }
    while line.last == " " { line.removeLast() }
    buffer.append(line + "\n")
  }

  private func texts(of row: Int, in batch: RowBatch) -> [ShownText] {
    var cells: [ShownText] = []
    batch.forEachValue(inRow: row) { _, value in
      cells.append(ShownText(value.map { String(decoding: $0, as: UTF8.self) } ?? nullText))
    }
    return cells
  }
}
