/// One row of a result.
///
/// ```swift
/// let id = try row[0, as: Int.self]
/// let name = try row["name", as: String?.self]
/// let (a, b) = try row.decode((Int, String?).self)
/// ```
///
/// In py-postgresql: `postgresql.api.Row` (`postgresql.types.Row`).
public struct Row: Sendable {
  @usableFromInline let storage: RowStorage
  @usableFromInline let position: Int

  @inlinable
  init(_ storage: RowStorage, _ position: Int) {
    self.storage = storage
    self.position = position
  }

  /// The number of columns.
  public var count: Int { storage.run.columnCount }

  /// The columns, in order.
  public var columns: [Column] { storage.columns.columns }

  /// The columns' names, in order.
  public var columnNames: [String] { columns.map(\.name) }

  /// The position of the first column named `name`.
  public func index(of name: String) -> Int? { storage.columns.index(of: name) }

  /// Whether a column is NULL.
  ///
  /// - Throws: ``PGError`` `--CIO` if there is no such column.
  public func isNull(_ index: Int) throws(PGError) -> Bool {
    _ = try column(index)
    return storage.run.reader(row: position, column: index) == nil
  }

  /// A column's value in dynamic form.
  ///
  /// - Throws: ``PGError`` `--CIO` if there is no such column, or its bytes are no value of its type.
  public subscript(_ index: Int) -> PGValue {
    get throws(PGError) {
      let column = try column(index)
      // The bytes belong to it.
      defer { extendLifetime(storage) }
      guard var reader = storage.run.reader(row: position, column: index) else { return .null }
      do throws(PGError) {
        return try PGValue(&reader, type: column.pgType, format: column.format)
      } catch { throw located(error, column) }
    }
  }

  /// The value of the first column named `name`, in dynamic form.
  public subscript(_ name: String) -> PGValue {
    get throws(PGError) { try self[required(name)] }
  }

  /// A column's value as a Swift type, or as an optional of one: `row[0, as: Int?.self]`.
  ///
  /// - Throws: ``PGError`` `--CIO` if there is no such column, it is NULL and the type no optional, or
  ///   its value is not to be had as that type.
  @inlinable
  public subscript<Value: PGColumnValue>(_ index: Int, as type: Value.Type) -> Value {
    get throws(PGError) {
      if let value = builtin(index, as: type) { return value }
      return try value(index, as: type)
    }
  }

  /// The value of the first column named `name` as a Swift type, or as an optional of one.
  public subscript<Value: PGColumnValue>(_ name: String, as type: Value.Type) -> Value {
    get throws(PGError) { try value(required(name), as: type) }
  }

  /// A column's value, if it is one of those that programs read without another call.
  @inlinable @inline(__always)
  func builtin<Value: PGColumnValue>(_ index: Int, as type: Value.Type) -> Value? {
    // The bytes belong to it.
    defer { extendLifetime(storage) }
    guard let (reader, type) = storage.value(row: position, column: index) else { return nil }
    return Value.decodeBuiltin(reader, as: type)
  }

  /// A column's value, of whatever type and form, or what is wrong with it.
  @usableFromInline
  func value<Value: PGColumnValue>(_ index: Int, as type: Value.Type) throws(PGError) -> Value {
    // Of the column only what decoding needs: taking all of it costs as much as the value.
    guard let column = storage.columns.decoding(at: index) else { throw noColumn(index) }
    defer { extendLifetime(storage) }
    let reader = storage.run.reader(row: position, column: index)
    do throws(PGError) {
      return try Value.decodeColumn(reader, type: column.type, format: column.format)
    } catch { throw located(error, storage.columns.columns[index]) }
  }

  private func column(_ index: Int) throws(PGError) -> Column {
    guard columns.indices.contains(index) else { throw noColumn(index) }
    return columns[index]
  }

  private func noColumn(_ index: Int) -> PGError {
    .column("there is no column \(index) in a row of \(count)")
  }

  private func required(_ name: String) throws(PGError) -> Int {
    guard let index = index(of: name) else {
      throw .column("there is no column named \"\(name)\" in the row")
    }
    return index
  }

  private func located(_ error: PGError, _ column: Column) -> PGError { error.inside(column) }
}

extension PGError {
  /// The same error, said to have happened to a value of `column`.
  func inside(_ column: Column) -> PGError {
    inside(.init("COLUMN", "\"\(column.name)\" of type \(column.pgType.name)"))
  }
}
