/// Where one column's value lies in a buffer: eight bytes, no reference.
struct Cell {
  /// The offset of the value's first byte.
  let offset: UInt32
  /// The number of its bytes; −1 for NULL.
  let length: Int32

  /// A value that is NULL.
  static let null = Cell(offset: 0, length: -1)

  var isNull: Bool { length < 0 }
}
