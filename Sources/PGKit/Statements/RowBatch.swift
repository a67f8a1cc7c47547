/// Rows that arrived together: one buffer of bytes and one table of where the values lie in it.
///
/// Nothing is decoded before it is asked for, and nothing is allocated for a column. A batch keeps its
/// bytes for as long as it, or a row of it, is kept.
///
/// In py-postgresql: a chunk.
public struct RowBatch: Sendable, RandomAccessCollection {
  @usableFromInline let storage: RowStorage

  init(_ run: RowRun, columns: ColumnList) { storage = RowStorage(run, columns) }

  /// The columns, in order.
  public var columns: [Column] { storage.columns.columns }

  /// Always 0.
  @inlinable public var startIndex: Int { 0 }
  /// The number of rows.
  @inlinable public var endIndex: Int { storage.rowCount }

  /// A row, as of an array: a position at which there is none ends the program.
  @inlinable
  public subscript(position: Int) -> Row {
    precondition(indices.contains(position), "no row \(position) in a batch of \(count)")
    return Row(storage, position)
  }

  /// Lends each value's bytes of one row, in order, to `body`; `nil` is NULL.
  ///
  /// This is how programs that only pass values on read them: without a String in between.
  @inline(__always)
  public func forEachValue(
    inRow row: Int, _ body: (_ column: Int, _ bytes: UnsafeRawBufferPointer?) throws -> Void
  ) rethrows {
    // The bytes belong to it.
    defer { extendLifetime(storage) }
    let run = storage.run
    for column in 0..<run.columnCount {
      try body(column, run.reader(row: row, column: column)?.unread)
    }
  }
}

/// What a batch and its rows share.
///
/// Immutable: the session receives into another buffer for as long as this one is held
/// (`Session/Inbox.swift`), which is what makes sharing it between threads safe.
@usableFromInline
final class RowStorage: @unchecked Sendable {
  let run: RowRun
  let columns: ColumnList

  // What is looked at for every value, in constants of this object: the memory that they point to belongs
  // to the run and the columns, and lives as long as this does.

  @usableFromInline let rowCount: Int
  /// How many columns have both values and a description.
  @usableFromInline let columnCount: Int
  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let cells: UnsafeBufferPointer<Cell>
  @usableFromInline let builtins: UnsafePointer<TypeOID>

  init(_ run: RowRun, _ columns: ColumnList) {
    self.run = run
    self.columns = columns
    rowCount = run.count
    // A run whose columns are described differently has its values found by `run.reader`, if at all.
    columnCount = run.columnCount == columns.columns.count ? run.columnCount : 0
    base = run.buffer.base
    cells = run.cells.list
    builtins = columns.builtins
  }

  /// A value's bytes, which are valid for as long as this object, and the built-in type whose binary
  /// form they are; `nil` for NULL, and for a place that is not among the rows.
  @inlinable @inline(__always)
  func value(row: Int, column: Int) -> (ByteReader, TypeOID)? {
    guard row >= 0, row < rowCount, column >= 0, column < columnCount else { return nil }
    let cell = cells[row &* columnCount &+ column]
    if cell.isNull { return nil }
    let bytes = UnsafeRawBufferPointer(start: base + Int(cell.offset), count: Int(cell.length))
    return (ByteReader(bytes), builtins[column])
  }
}

/// The columns of a result, found by name as well.
///
/// Immutable, which is what makes sharing it between threads safe.
final class ColumnList: @unchecked Sendable {
  /// What decoding needs of a column.
  struct Decoding {
    let type: PGType
    let format: PGFormat
  }

  let columns: [Column]
  /// Whether there are anonymous records in binary among the values.
  let holdRecords: Bool
  /// Of each column, in memory that no reference is counted for: an array is counted for every value.
  private let decodings: UnsafeMutableBufferPointer<Decoding>
  /// Of each column, the built-in type in whose binary form its values are; unspecified where there is none.
  let builtins: UnsafePointer<TypeOID>

  init(_ columns: [Column]) {
    self.columns = columns
    holdRecords = columns.contains { $0.pgType.holdsRecords && $0.format == .binary }
    decodings = .allocate(capacity: columns.count)
    for (index, column) in columns.enumerated() {
      decodings.initializeElement(
        at: index, to: Decoding(type: column.pgType, format: column.format))
    }
    let types = UnsafeMutablePointer<TypeOID>.allocate(capacity: columns.count)
    for (index, column) in columns.enumerated() {
      let isBinary = column.format == .binary
      (types + index).initialize(to: isBinary ? column.pgType.base : .unspecified)
    }
    builtins = UnsafePointer(types)
  }

  deinit {
    decodings.deinitialize()
    decodings.deallocate()
    builtins.deallocate()
  }

  /// What decoding needs of a column; `nil` if there is none at `index`.
  @inline(__always)
  func decoding(at index: Int) -> Decoding? {
    guard index >= 0, index < decodings.count else { return nil }
    return decodings[index]
  }

  /// The first column of that name.
  ///
  /// Statements have few columns: looking at each is faster than a dictionary that has to be built
  /// for every statement.
  func index(of name: String) -> Int? {
    columns.firstIndex { $0.name.utf8.elementsEqual(name.utf8) }
  }
}
