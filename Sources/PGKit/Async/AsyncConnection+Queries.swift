extension AsyncConnection {
  /// Runs statements that need no parameters and whose rows nobody wants; several, with semicolons
  /// between them, are one transaction.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public func execute(_ sql: String, until deadline: Deadline = .never) async throws(PGError) {
    try await perform { connection throws(PGError) in
      try connection.execute(sql, until: deadline)
    }
  }

  /// Runs a statement and gives all of its rows.
  ///
  /// - Throws: ``PGError``: `--PIO` if a value does not fit its parameter, or the server's; 57014 if the
  ///   task is cancelled.
  @discardableResult
  public func query(
    _ sql: String, _ parameters: (any PGEncodable)?...
  ) async throws(PGError) -> QueryResult {
    try await perform { connection throws(PGError) in
      try connection.query.chunks(sql, with: parameters).collect()
    }
  }

  /// Runs a statement and gives the first value, row, or count of rows.
  ///
  /// - Throws: ``PGError`` as ``query(_:_:)``.
  public func first(
    _ sql: String, _ parameters: (any PGEncodable)?...
  ) async throws(PGError) -> FirstResult {
    try await perform { connection throws(PGError) in
      try connection.query.chunks(sql, with: parameters).firstResult()
    }
  }

  /// Runs a statement and gives the first column of its first row, if there is one.
  ///
  /// - Throws: ``PGError`` as ``query(_:_:)``.
  public func first<Value: PGColumnValue & Sendable>(
    _ sql: String, _ parameters: (any PGEncodable)?..., as type: Value.Type
  ) async throws(PGError) -> Value? {
    try await perform { connection throws(PGError) -> Value? in
      guard let row = try connection.query.chunks(sql, with: parameters).first() else {
        return nil
      }
      return try row.value(0, as: Value.self)
    }
  }

  /// Runs a statement and gives its rows as they arrive, one by one.
  ///
  /// - Throws: ``PGError`` as ``query(_:_:)``.
  public func rows(
    _ sql: String, _ parameters: (any PGEncodable)?...
  ) async throws(PGError) -> AsyncRows {
    AsyncRows(try await chunks(sql, with: parameters))
  }

  /// Runs a statement and gives its rows as they arrive, in chunks: the fast way.
  ///
  /// - Throws: ``PGError`` as ``query(_:_:)``.
  public func chunks(
    _ sql: String, _ parameters: (any PGEncodable)?...
  ) async throws(PGError) -> AsyncChunks {
    try await chunks(sql, with: parameters)
  }

  private func chunks(
    _ sql: String, with parameters: [(any PGEncodable)?]
  ) async throws(PGError) -> AsyncChunks {
    try await chunks(of: sql) { connection throws(PGError) in
      try connection.query.chunks(sql, with: parameters)
    }
  }

  /// Prepares one statement.
  ///
  /// - Throws: ``PGError`` as ``Connection/prepare(_:)``; 57014 if the task is cancelled.
  public func prepare(_ sql: String) async throws(PGError) -> AsyncStatement {
    let confined = try await confine { connection throws(PGError) in try connection.prepare(sql) }
    return AsyncStatement(self, confined)
  }

  /// Runs a query and leaves its rows on the server, to be read in any order.
  ///
  /// - Throws: ``PGError`` as ``query(_:_:)``.
  public func declare(
    _ sql: String, _ parameters: (any PGEncodable)?...
  ) async throws(PGError) -> AsyncCursor {
    let confined = try await confine { connection throws(PGError) in
      let statement = try connection.prepare(sql)
      return try statement.declare(binding: statement.bind(parameters))
    }
    return AsyncCursor(self, confined)
  }

  /// Brings the session back to where it began, as ``Connection/reset()`` does.
  ///
  /// - Throws: ``PGError``: the server's; 57014 if the task is cancelled.
  public func reset() async throws(PGError) {
    try await perform { connection throws(PGError) in try connection.reset() }
  }
}
