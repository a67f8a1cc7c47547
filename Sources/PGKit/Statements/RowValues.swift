/// The values of a batch as they lie in its buffer, one row after the other.
///
/// For programs that pass all values on: looking at one is inlined there, which is worth a third of the
/// time that a million rows take (`scripts/bench-peers W4`).
public struct RowValues {
  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let cells: UnsafeBufferPointer<Cell>

  /// The number of values in a row.
  public let columnCount: Int
  /// The number of rows.
  public let rowCount: Int
  /// How many bytes all values have together.
  public let byteCount: Int

  init(_ run: RowRun) {
    (base, cells) = (run.buffer.base, run.cells.list)
    (columnCount, rowCount, byteCount) = (run.columnCount, run.count, run.byteCount)
  }

  /// The bytes of a value; `nil` is NULL.
  ///
  /// - Parameter index: The values are counted through all rows, of which there must be so many.
  @inlinable
  public subscript(index: Int) -> UnsafeRawBufferPointer? {
    precondition(index >= 0 && index < cells.count, "no value \(index) in the batch")
    let cell = cells[index]
    guard cell.length >= 0 else { return nil }
    return UnsafeRawBufferPointer(
      start: base.advanced(by: Int(cell.offset)), count: Int(cell.length))
  }
}

extension RowBatch {
  /// Lends the bytes of all values to `body`.
  public func withValues<Result, Failure: Error>(
    _ body: (RowValues) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Lent: whoever calls has the batch, and with it the memory.
    defer { extendLifetime(storage) }
    return try body(RowValues(storage.run))
  }
}
