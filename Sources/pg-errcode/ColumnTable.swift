/// Rows of cells as a table, columns side by side.
enum ColumnTable {
  /// The rows, a line each.
  ///
  /// - Parameter numbers: How many of the first columns stand to the right, as numbers do.
  static func lines(_ rows: [[String]], numbers: Int = 0) -> String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.utf8.count)
      }
    }
    return rows.reduce("") { text, row in
      var line = ""
      for (column, cell) in row.enumerated() {
        let gap = String(repeating: " ", count: widths[column] - cell.utf8.count)
        line += (column < numbers ? gap + cell : cell + gap) + "  "
      }
      while line.hasSuffix(" ") { line.removeLast() }
      return text + line + "\n"
    }
  }
}
