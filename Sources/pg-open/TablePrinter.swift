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
  private var waiting: [[String]]? = []
  private var waitingSize = 0
  private var count = 0
  private var buffer = OutputBuffer()

  init(nullText: String) { self.nullText = nullText }

  mutating func begin(_ columns: [Column]) {
    self.columns = columns
    widths = columns.map { Self.width(Self.shown($0.name)) }
    waiting = []
    waitingSize = 0
    count = 0
  }

  mutating func print(_ batch: RowBatch) throws {
    for row in 0..<batch.count {
      let cells = texts(of: row, in: batch)
      count += 1
      if waiting == nil {
        append(cells)
      } else {
        waiting?.append(cells)
        for (index, cell) in cells.enumerated() {
          widths[index] = max(widths[index], Self.width(cell))
          waitingSize += cell.utf8.count
        }
        if count == Self.sample || waitingSize > Self.sampleSize { settle() }
      }
    }
    try buffer.drain()
  }

  mutating func end() throws {
    settle()
    buffer.append("(\(count) row\(count == 1 ? "" : "s"))\n\n")
    try buffer.drain()
  }

  /// Prints the head and the rows that waited for it.
  private mutating func settle() {
    guard let rows = waiting else { return }
    waiting = nil
    let names = columns.map { Self.shown($0.name) }
    append(names, isHead: true)
    buffer.append(
      widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "+") + "\n")
    for row in rows { append(row) }
  }

  private mutating func append(_ cells: [String], isHead: Bool = false) {
    var line = ""
    for (index, cell) in cells.enumerated() {
      if index > 0 { line += "|" }
      let padding = String(repeating: " ", count: max(widths[index] - Self.width(cell), 0))
      let alignsRight = !isHead && Self.alignsRight(columns[index].type)
      line += alignsRight ? " \(padding)\(cell) " : " \(cell)\(padding) "
    }
    while line.last == " " { line.removeLast() }
    buffer.append(line + "\n")
  }

  private func texts(of row: Int, in batch: RowBatch) -> [String] {
    var cells: [String] = []
    batch.forEachValue(inRow: row) { _, value in
      cells.append(value.map { Self.shown(String(decoding: $0, as: UTF8.self)) } ?? nullText)
    }
    return cells
  }

  /// The text on one line, without anything that could command a terminal.
  private static func shown(_ text: String) -> String {
    guard
      text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) })
    else { return text }
    var line = ""
    for scalar in Diagnostic.escapingControls(text).unicodeScalars {
      switch scalar {
      case "\n": line += "\\n"
      case "\t": line += "\\t"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  private static func width(_ text: String) -> Int {
    text.reduce(0) { $0 + DisplayWidth.of($1) }
  }

  private static func alignsRight(_ type: TypeOID) -> Bool {
    switch type {
    case .int2, .int4, .int8, .oid, .float4, .float8, .numeric, .money: true
    default: false
    }
  }
}
