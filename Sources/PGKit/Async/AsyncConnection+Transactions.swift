extension AsyncConnection {
  /// Runs `body` inside a transaction: committed when it returns, rolled back when it throws or its task
  /// was cancelled.
  ///
  /// Inside another transaction of the same task it is a savepoint. Until its end operations of other tasks wait; those that `body` starts are part of it.
  ///
  /// - Throws: What `body` throws; ``PGError`` as ``Transaction/start()`` and ``Transaction/commit()``;
  ///   25P02 if an error of the server was caught inside `body`, so that nothing can be committed.
  @discardableResult
  public func withTransaction<Result: Sendable>(
    isolation: Transaction.Isolation? = nil, mode: Transaction.Mode? = nil,
    deferrable: Bool? = nil, _ body: @Sendable (AsyncConnection) async throws -> Result
  ) async throws -> Result {
    try await awaitTurn()
    let isOutermost = turns.holder == nil
    let claim = turns.holder ?? Turns.Claim(inside: Turns.Claim.current)
    turns.holder = claim
    defer { if isOutermost { turns.pass() } }
    return try await Turns.Claim.ofTask.withValue(isOutermost ? claim : Turns.Claim.current) {
      let transaction = try await confine { connection throws(PGError) in
        let transaction = connection.transaction(
          isolation: isolation, mode: mode, deferrable: deferrable)
        try transaction.start()
        return transaction
      }
      let result: Result
      do { result = try await body(self) } catch {
        rollBack(transaction.value)
        throw error
      }
      if Task.isCancelled {
        rollBack(transaction.value)
        throw PGError.taskIsCancelled
      }
      try connection.leave(transaction.value)
      return result
    }
  }

  // What went wrong first is what is told; a connection that is lost rolls back by itself. A cancelled
  // task rolls back all the same, so that this is no operation that could be cancelled.
  private func rollBack(_ transaction: Transaction) {
    if transaction.state == .open { try? transaction.rollback() }
  }

  /// Runs `body` inside a transaction block, again if the server asks for that: after a failed
  /// serialization (40001) or a deadlock (40P01).
  ///
  /// `body` may run several times, so it should do nothing that a rollback does not undo.
  ///
  /// - Parameters:
  ///   - attempts: How often it is tried at most.
  ///   - isolation: The isolation level; SERIALIZABLE needs this most.
  ///   - mode: Whether it may write.
  ///   - deferrable: Whether a read-only, serializable one waits until it cannot fail.
  ///   - body: What is done in it.
  /// - Throws: What the last attempt threw; `--OPE` inside another block, of which the server would
  ///   want to have all repeated.
  @discardableResult
  public func withRetryingTransaction<Result: Sendable>(
    attempts: Int = 5, isolation: Transaction.Isolation? = .serializable,
    mode: Transaction.Mode? = nil, deferrable: Bool? = nil,
    _ body: @Sendable (AsyncConnection) async throws -> Result
  ) async throws -> Result {
    try await awaitTurn()
    try connection.requireNoBlock()
    var attempt = 1
    while true {
      do {
        return try await withTransaction(
          isolation: isolation, mode: mode, deferrable: deferrable, body)
      } catch let error as PGError {
        guard attempt < attempts, Connection.mayRepeat(after: error), !connection.isClosed else {
          throw error
        }
        try await Task.sleep(for: Connection.pause(before: attempt))
        attempt += 1
      }
    }
  }
}
