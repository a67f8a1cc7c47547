/// Rows that lie in one buffer, found but not decoded.
struct RowRun {
  let buffer: ReceiveBuffer
  let columnCount: Int
  let count: Int
  let cells: CellTable
  /// How many bytes all values have together.
  let byteCount: Int

  init(buffer: ReceiveBuffer, columnCount: Int, count: Int, cells: CellTable, byteCount: Int) {
    (self.buffer, self.columnCount) = (buffer, columnCount)
    (self.count, self.cells, self.byteCount) = (count, cells, byteCount)
  }

  /// How much memory it takes, with all of the buffer that it keeps.
  var memorySize: Int { buffer.capacity + cells.count * MemoryLayout<Cell>.stride }
}

extension RowRun {
  /// A reader over a value; `nil` for NULL, and for a place that is not in the run.
  @inline(__always)
  func reader(row: Int, column: Int) -> ByteReader? {
    guard row >= 0, row < count, column >= 0, column < columnCount else { return nil }
    let cell = cells[row * columnCount + column]
    if cell.isNull { return nil }
    return ByteReader(
      UnsafeRawBufferPointer(start: buffer.base + Int(cell.offset), count: Int(cell.length)))
  }

  /// A value as text; `nil` for NULL and what is not UTF-8.
  func text(row: Int, column: Int) -> String? {
    defer { extendLifetime(buffer) }
    var reader = reader(row: row, column: column)
    return reader?.readText()
  }
}
