/// A row of a result.
///
/// Its values are not copied: the row is its cells' places in the buffer.
enum DataRow {
  /// Adds the places of the row's values to `cells`, relative to the buffer's base.
  ///
  /// - Throws: ``OutOfBytes`` unless the row has exactly `columns` values that exactly fill `body`.
  @inline(__always)
  static func locate(
    _ body: Range<Int>, in buffer: ReceiveBuffer, columns: Int, into cells: inout [Cell]
  ) throws(OutOfBytes) {
    var reader = ByteReader(UnsafeRawBufferPointer(start: buffer.base, count: body.upperBound))
    try reader.skip(body.lowerBound)
    guard Int(try reader.readInteger(UInt16.self)) == columns else { throw OutOfBytes() }
    for _ in 0..<columns {
      guard let length = try reader.readNullableLength() else {
        cells.append(.null)
        continue
      }
      let offset = body.upperBound &- reader.remaining
      cells.append(
        Cell(
          offset: UInt32(truncatingIfNeeded: offset), length: Int32(truncatingIfNeeded: length)))
      try reader.skip(length)
    }
    guard reader.isAtEnd else { throw OutOfBytes() }
  }
}
