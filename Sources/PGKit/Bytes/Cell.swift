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

  var isNull: Bool { length < 0 }
}
