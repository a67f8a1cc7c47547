// One value of a statement that runs to its end at once: the shortest way through the house. Nothing is
// handed over bit by bit, so nothing needs to outlive the call.

extension Statement {
  /// Runs the statement and gives the first column of its first row, if there is one.
  ///
  /// The statement runs to its end; what comes behind the first row is dropped as it arrives.
  public func first<Value: PGColumnValue>(
    _ parameters: (any PGEncodable)?..., as type: Value.Type
  ) throws(PGError) -> Value? {
    guard let run = try firstRows(parameters) else { return nil }
    // The value's bytes belong to it.
    defer { extendLifetime(run.buffer) }
    var columns = columnList
    if columns.holdRecords {
      var members: [TypeOID: PGType] = [:]
      if try connection.lookUpMembers(of: run, columns, into: &members) {
        columns = columns.withMembers(members)
      }
    }
    guard let column = columns.columns.first else {
      // Says what is wrong.
      return try Row(RowStorage(run, columns), 0).value(0, as: type)
    }
    do throws(PGError) {
      return try type.decodeColumn(
        run.reader(row: 0, column: 0), type: column.pgType, format: column.format)
    } catch { throw error.inside(column) }
  }

  /// Runs the statement to its end and keeps the first of its rows.
  private func firstRows(_ values: [(any PGEncodable)?]) throws(PGError) -> RowRun? {
    if isCopy { throw .isCopy(origin.summary, on: connection) }
    let observation = connection.observe(.execute, origin.summary, parameters: values)
    do throws(PGError) {
      let (run, tag) = try runOnce(values)
      observation?.ended(.completed(tag))
      return run
    } catch {
      observation?.ended(.failed(error))
      throw error
    }
  }

  private func runOnce(
    _ values: [(any PGEncodable)?], isAgain: Bool = false
  ) throws(PGError) -> (RowRun?, CommandTag?) {
    var exchange = execution(try bind(values))
    defer { keep(exchange.releaseParameters()) }
    var first: RowRun?
    do throws(PGError) {
      try connection.perform(&exchange, heardBy: self) { if first == nil { first = $0 } }
    } catch {
      guard !isAgain, string != nil, error.isStalePlan, connection.transactionStatus == .idle else {
        throw error.inside(origin, of: connection)
      }
      try renew()
      return try runOnce(values, isAgain: true)
    }
    connection.heed(exchange)
    return (first, exchange.tag)
  }
}
