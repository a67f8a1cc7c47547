extension RowBatch {
  /// The same rows, with other bytes in the place of some values.
  ///
  /// For programs that pass rows on and may have to mend what is in them. The batch itself is returned
  /// where nothing is replaced.
  ///
  /// - Parameter replacement: Is lent each value that is not NULL, and gives what is to stand for it;
  ///   `nil` leaves it as it is.
  /// - Throws: What `replacement` throws.
  public func replacingValues<Failure: Error>(
    _ replacement: (_ row: Int, _ column: Int, _ bytes: UnsafeRawBufferPointer) throws(Failure) ->
      [UInt8]?
  ) throws(Failure) -> RowBatch {
    var replacements: [Int: [UInt8]] = [:]
    var size = 0
    try withValues { (values) throws(Failure) in
      for index in 0..<values.rowCount * values.columnCount {
        guard let bytes = values[index] else { continue }
        let (row, column) = index.quotientAndRemainder(dividingBy: values.columnCount)
        let other = try replacement(row, column, bytes)
        if let other { replacements[index] = other }
        size += other?.count ?? bytes.count
      }
    }
    // Where a value lies is a number of 32 bits.
    guard !replacements.isEmpty, size <= Int(Int32.max) else { return self }
    return replacing(replacements, size)
  }

  private func replacing(_ replacements: [Int: [UInt8]], _ size: Int) -> RowBatch {
    let buffer = ReceiveBuffer(capacity: size)
    var cells: [Cell] = []
    withValues { values in
      for index in 0..<values.rowCount * values.columnCount {
        guard let bytes = values[index] else {
          cells.append(.null)
          continue
        }
        let start = buffer.end
        func add(_ source: UnsafeRawBufferPointer) {
          buffer.free.copyMemory(from: source)
          buffer.received(source.count)
        }
        if let other = replacements[index] { other.withUnsafeBytes(add) } else { add(bytes) }
        // Compared with the limit above.
        let length = Int32(clamping: buffer.end - start)
        cells.append(Cell(offset: UInt32(clamping: start), length: length))
      }
    }
    let run = RowRun(
      buffer: buffer, columnCount: storage.run.columnCount, count: count, cells: CellTable(cells),
      byteCount: buffer.end)
    return RowBatch(run, columns: storage.columns)
  }
}
