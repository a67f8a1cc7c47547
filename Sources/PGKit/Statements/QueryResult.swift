/// All the rows of a statement, and what it said of itself.
///
/// In py-postgresql: the list that calling a statement gives, with `tag` beside it.
public struct QueryResult: Sendable, RandomAccessCollection {
  private let batches: [RowBatch]
  /// The number of rows before each batch.
  private let starts: [Int]
  /// What the statement said of itself: `SELECT 3`.
  public let tag: CommandTag
  /// The columns.
  public let columns: [Column]

  init(_ batches: [RowBatch], tag: CommandTag, columns: [Column]) {
    self.batches = batches
    self.tag = tag
    self.columns = columns
    var total = 0
    starts = batches.map { batch in
      defer { total += batch.count }
      return total
    }
    endIndex = total
  }

  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of rows.
  public let endIndex: Int

  /// A row.
  public subscript(position: Int) -> Row {
    precondition(indices.contains(position), "no row \(position) in a result of \(count)")
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= position { low = middle } else { high = middle }
    }
    return batches[low][position - starts[low]]
  }
}

extension Chunks {
  /// Takes everything that is left.
  ///
  /// - Throws: ``PGError``, as ``next()``.
  public func collect() throws(PGError) -> QueryResult {
    var batches: [RowBatch] = []
    while let batch = try next() { batches.append(batch) }
    return QueryResult(batches, tag: tag ?? CommandTag(""), columns: columns)
  }
}
