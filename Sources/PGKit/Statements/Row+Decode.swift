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
      return try value(index, as: One.self)
    }
    return (repeat try next(each type))
  }
}
