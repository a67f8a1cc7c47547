// Rows are compared as they came, without making values of them.

extension Row: Equatable {
  /// Rows are equal when they have the same values, of the same types, in columns of the same names.
  ///
  /// Values are the same if the server sent the same for them: 1.0 and 1.00 differ as numerics.
  public static func == (left: Row, right: Row) -> Bool {
    left.count == right.count
      && zip(left.columns, right.columns).allSatisfy {
        $0.name == $1.name && $0.type == $1.type && $0.format == $1.format
      } && (0..<left.count).allSatisfy { left.isSame(as: right, at: $0) }
  }

  private func isSame(as other: Row, at column: Int) -> Bool {
    // The bytes belong to them.
    defer { extendLifetime((storage, other.storage)) }
    let mine = storage.run.reader(row: position, column: column)?.unread
    let theirs = other.storage.run.reader(row: other.position, column: column)?.unread
    guard let mine, let theirs else { return mine == nil && theirs == nil }
    return mine.elementsEqual(theirs)
  }
}

extension QueryResult: Equatable {
  /// Results are equal when they have equal rows in the same order.
  public static func == (left: QueryResult, right: QueryResult) -> Bool {
    left.elementsEqual(right)
  }
}
