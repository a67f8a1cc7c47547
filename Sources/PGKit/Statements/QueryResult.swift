/// All the rows of a statement, and what it said of itself.
///
/// In py-postgresql: the list that calling a statement gives, with `tag` beside it.
public struct QueryResult: Sendable, RandomAccessCollection {
  /// The first batch, by itself: most results have one, and need no array for it.
  private let head: RowBatch?
  private let rest: [RowBatch]
  /// The number of rows before each batch of the rest.
  private let starts: [Int]
  /// What the statement said of itself: `SELECT 3`.
  public let tag: CommandTag
  /// The columns.
  public let columns: [Column]

  init(_ first: RowBatch?, _ rest: [RowBatch], tag: CommandTag, columns: [Column]) {
    head = first
    self.rest = rest
    self.tag = tag
    self.columns = columns
    var total = head?.count ?? 0
    starts = rest.map { batch in
      defer { total += batch.count }
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
    if let head, position < head.count { return head[position] }
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= position { low = middle } else { high = middle }
    }
    return rest[low][position - starts[low]]
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
  public func collect() throws(PGError) -> QueryResult { try running.collect(on: connection) }
}

extension Statement {
  /// Runs the statement and takes all of its rows.
  ///
  /// Nobody else takes any, so there are no ``Chunks``.
  func collect(with values: [(any PGEncodable)?]) throws(PGError) -> QueryResult {
    let running = try run(with: values)
    do throws(PGError) { return try running.collect(on: connection) } catch {
      running.forget()
      if let error = running.takeUnheard() { connection.noteUnheard(error) }
      throw error
    }
  }
}

extension RunningExecution {
  fileprivate func collect(on connection: Connection) throws(PGError) -> QueryResult {
    let first = try nextBatch(on: connection)
    var rest: [RowBatch] = []
    if first != nil { while let batch = try nextBatch(on: connection) { rest.append(batch) } }
    return QueryResult(
      first, rest, tag: tag ?? CommandTag(""), columns: columns?.columns ?? [])
  }
}
