extension AsyncConnection {
  /// Runs `body` inside a transaction: committed when it returns, rolled back when it throws or its task
  /// was cancelled.
  ///
  /// Inside another transaction of the same task it is a savepoint. Until its end operations of other tasks
  /// wait; those that `body` starts are part of it, and wait for each other's savepoints.
  ///
  /// A COMMIT is cancelled with its task as every statement is. Then 57014 says that nothing was stored; a
  /// lost connection (class 08) says nothing of that: the server may have come to the end before.
  ///
  /// - Throws: What `body` throws; ``PGError`` as ``Transaction/start()`` and ``Transaction/commit()``;
  ///   25P02 if an error of the server was caught inside `body`, so that nothing can be committed; `--OPE`
  ///   for what `body` has left running when it is over.
  @discardableResult
  public func withTransaction<Result: Sendable>(
    isolation: Transaction.Isolation? = nil, mode: Transaction.Mode? = nil,
    deferrable: Bool? = nil, _ body: @Sendable (AsyncConnection) async throws -> Result
  ) async throws -> Result {
    try await withClaim { db in
      let transaction = try await db.confine { connection throws(PGError) in
        let transaction = connection.transaction(
          isolation: isolation, mode: mode, deferrable: deferrable)
        try transaction.start()
        return transaction
      }
      do {
        let result = try await body(db)
        try await db.perform { connection throws(PGError) in
          try connection.leave(transaction.value)
        }
        return result
      } catch {
        db.rollBack(transaction.value)
        throw error
      }
    }
  }

  /// Calls `body` while other tasks wait: all but those that it starts.
  func withClaim<Result: Sendable>(
    _ body: (isolated AsyncConnection) async throws -> Result
  ) async throws -> Result {
    let claim = try await takeClaim()
    defer { turns.end(claim) }
    return try await Turns.Claim.ofTask.withValue(claim) { try await body(self) }
  }

  /// What went wrong first is what is told; a connection that is lost rolls back by itself.
  ///
  /// A cancelled task rolls back all the same, so this is no operation that could be cancelled; but neither
  /// is there anything left to wait for.
  private func rollBack(_ transaction: Transaction) {
    guard transaction.state == .open, !isGivenBack, !connection.isClosed else { return }
    if connection.running != nil { cutRunning() }
    try? transaction.rollback(until: .after(SessionReins.grace))
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
    try await perform { connection throws(PGError) in try connection.requireNoBlock() }
    var attempt = 1
    while true {
      do {
        return try await withTransaction(
          isolation: isolation, mode: mode, deferrable: deferrable, body)
      } catch let error as PGError {
        guard attempt < attempts, Connection.mayRepeat(after: error), !connection.isClosed else {
          throw error
        }
        // A task that is cancelled here tries no more.
        do { try await Task.sleep(for: Connection.pause(before: attempt)) } catch {
          throw PGError.taskIsCancelled
        }
        attempt += 1
      }
    }
  }
}
