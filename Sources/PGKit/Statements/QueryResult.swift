/// All the rows of a statement, and what it said of itself.
///
/// In py-postgresql: the list that calling a statement gives, with `tag` beside it.
public struct QueryResult: Sendable, RandomAccessCollection {
  private let chunks: [RowBatch]
  /// The number of rows before each chunk.
  private let starts: [Int]
  /// What the statement said of itself: `SELECT 3`.
  public let tag: CommandTag
  /// The columns.
  public let columns: [Column]

  init(_ chunks: [RowBatch], tag: CommandTag, columns: [Column]) {
    self.chunks = chunks
    self.tag = tag
    self.columns = columns
    var total = 0
    starts = chunks.map { chunk in
      defer { total += chunk.count }
      return total
    }
    endIndex = total
  }

  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of rows.
  public let endIndex: Int

  /// A row, as of an array: a position at which there is none ends the program.
  ///
  /// How many rows there are is for the server to say: `first` and ``row(at:)`` take none for an answer.
  public subscript(position: Int) -> Row {
    precondition(indices.contains(position), "no row \(position) in a result of \(count)")
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= position { low = middle } else { high = middle }
    }
    return chunks[low][position - starts[low]]
  }

  /// A row, where it is not certain that the statement has given so many.
  ///
  /// - Throws: ``PGError`` P0002 if there is no row at that position.
  public func row(at position: Int) throws(PGError) -> Row {
    guard indices.contains(position) else {
      throw PGError(
        code: .noDataFound, message: "there is no row \(position) in a result of \(count)",
        fault: .caller, hint: "The first row is row 0; ask count, or take first.")
    }
    return self[position]
  }
}

extension Chunks {
  /// Takes everything that is left.
  ///
  /// - Throws: ``PGError``, as ``next()``.
  public func collect() throws(PGError) -> QueryResult {
    var chunks: [RowBatch] = []
    while let chunk = try next() { chunks.append(chunk) }
    return QueryResult(chunks, tag: tag ?? CommandTag(""), columns: columns)
  }
}
