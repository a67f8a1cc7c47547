/// The values of a running statement's first column, as they arrive.
///
/// In py-postgresql: `ps.column(...)`.
public final class ColumnValues<Value: PGColumnValue> {
  private let rows: Rows

  init(_ chunks: Chunks) { rows = Rows(chunks) }

  /// The next value, or `nil` after the last; a NULL is `.some(nil)` where the type is an optional.
  ///
  /// - Throws: ``PGError``: the server's; `--CIO` if there is no column, or a value is not to be had as
  ///   that type.
  public func next() throws(PGError) -> Value? {
    guard let row = try rows.next() else { return nil }
    return .some(try row.value(0, as: Value.self))
  }

  /// Hands every value to `body`.
  public func forEach(_ body: (Value) throws -> Void) throws {
    while let value = try next() { try body(value) }
  }

  /// All values that are left.
  public func collect() throws(PGError) -> [Value] {
    var values: [Value] = []
    while let value = try next() { values.append(value) }
    return values
  }
}
