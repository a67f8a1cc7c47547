/// Where one column's value lies in a buffer: eight bytes, no reference.
@usableFromInline
struct Cell: Sendable {
  /// The offset of the value's first byte.
  @usableFromInline let offset: UInt32
  /// The number of its bytes; −1 for NULL.
  @usableFromInline let length: Int32

  init(offset: UInt32, length: Int32) { (self.offset, self.length) = (offset, length) }

  /// A value that is NULL.
  static let null = Cell(offset: 0, length: -1)

  @inlinable var isNull: Bool { length < 0 }
}

/// Where the values of many rows lie, one after the other.
///
/// Memory that no reference is counted for when a value is looked up, as an array's would be. Immutable once
/// made, which is what makes sharing it between threads safe.
final class CellTable: @unchecked Sendable, RandomAccessCollection {
  /// The memory; it lives as long as the table.
  let list: UnsafeBufferPointer<Cell>

  /// Makes a table of at most so many entries, of which `fill` says how many it has filled.
  init(
    capacity: Int, _ fill: (_ table: UnsafeMutableBufferPointer<Cell>, _ filled: inout Int) -> Void
  ) {
    let memory = UnsafeMutableBufferPointer<Cell>.allocate(capacity: capacity)
    var filled = 0
    fill(memory, &filled)
    list = UnsafeBufferPointer(start: memory.baseAddress, count: Swift.min(filled, capacity))
  }

  convenience init(_ cells: [Cell]) {
    self.init(capacity: cells.count) { table, filled in
      (_, filled) = table.initialize(from: cells)
    }
  }

  deinit { list.deallocate() }

  var startIndex: Int { 0 }
  var endIndex: Int { list.count }
  subscript(index: Int) -> Cell { list[index] }
}
