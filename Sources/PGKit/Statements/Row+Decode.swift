extension Row {
  /// The first columns as a tuple: `try row.decode((Int, String?).self)`.
  ///
  /// - Throws: ``PGError`` `--CIO` naming the column that is missing or does not fit.
  public func decode<each Value: PGColumnValue>(
    _ type: (repeat each Value).Type
  ) throws(PGError) -> (repeat each Value) {
    try decode(each: repeat (each Value).self)
  }

  /// The first columns, one for each type.
  func decode<each Value: PGColumnValue>(
    each type: repeat (each Value).Type
  ) throws(PGError) -> (repeat each Value) {
    var index = 0
    func next<One: PGColumnValue>(_ type: One.Type) throws(PGError) -> One {
      defer { index += 1 }
      return try One.column(index, of: self)
    }
    return (repeat try next(each type))
  }
}

/// A Swift type that a tuple of columns may contain: anything ``PGDecodable``, or an optional of it.
public protocol PGColumnValue {
  /// The value of a column.
  ///
  /// - Throws: ``PGError`` `--CIO` if it is not to be had as this type.
  static func column(_ index: Int, of row: Row) throws(PGError) -> Self
}

extension PGColumnValue where Self: PGDecodable {
  /// The value of a column; NULL is an error.
  public static func column(_ index: Int, of row: Row) throws(PGError) -> Self {
    try row[index, as: Self.self]
  }
}

extension Optional: PGColumnValue where Wrapped: PGDecodable {
  /// The value of a column; NULL is `nil`.
  public static func column(_ index: Int, of row: Row) throws(PGError) -> Self {
    try row[index, as: Wrapped?.self]
  }
}
