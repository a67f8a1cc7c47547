import PGErrorCodes

extension Connection {
  /// Makes a transaction, which begins when it is started.
  ///
  /// Isolation level, mode and deferrability are a block's alone: inside another block they are
  /// refused.
  ///
  /// In py-postgresql: `db.xact(isolation, mode)`.
  public func transaction(
    isolation: Transaction.Isolation? = nil, mode: Transaction.Mode? = nil,
    deferrable: Bool? = nil
  ) -> Transaction {
    Transaction(self, .init(isolation: isolation, mode: mode, deferrable: deferrable))
  }

  /// Takes up a transaction that was prepared under a name, by this session or another one: commit it
  /// or roll it back.
  ///
  /// Source: PostgreSQL manual, COMMIT PREPARED.
  public func transaction(prepared globalID: String) -> Transaction {
    Transaction(self, prepared: globalID)
  }

  /// Runs `body` inside a transaction: committed when it returns, rolled back when it throws.
  ///
  /// If an error of the server was caught inside `body`, so that it returns although the transaction
  /// has failed, it is rolled back and 25P02 is thrown: whoever comes next must not believe in a commit.
  ///
  /// - Throws: What `body` throws; ``PGError`` as ``Transaction/start()`` and ``Transaction/commit()``.
  ///
  /// In py-postgresql: `with db.xact():`.
  @discardableResult
  public func withTransaction<Result>(
    isolation: Transaction.Isolation? = nil, mode: Transaction.Mode? = nil,
    deferrable: Bool? = nil, _ body: (Transaction) throws -> Result
  ) throws -> Result {
    let transaction = transaction(isolation: isolation, mode: mode, deferrable: deferrable)
    try transaction.start()
    let result: Result
    do { result = try body(transaction) } catch {
      // What went wrong first is what is told; a connection that is lost rolls back by itself.
      if transaction.state == .open { try? transaction.rollback() }
      throw error
    }
    try leave(transaction)
    return result
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
  public func withRetryingTransaction<Result>(
    attempts: Int = 5, isolation: Transaction.Isolation? = .serializable,
    mode: Transaction.Mode? = nil, deferrable: Bool? = nil,
    _ body: (Transaction) throws -> Result
  ) throws -> Result {
    try requireNoBlock()
    var attempt = 1
    while true {
      do {
        return try withTransaction(
          isolation: isolation, mode: mode, deferrable: deferrable, body)
      } catch let error as PGError {
        guard attempt < attempts, Self.mayRepeat(after: error), !isClosed else { throw error }
        Syscalls.pause(Self.pause(before: attempt))
        attempt += 1
      }
    }
  }

  /// Makes sure that no transaction block is open.
  func requireNoBlock() throws(PGError) {
    try becomeIdle()
    guard transactionStatus == .idle else {
      throw .operation("a transaction that may have to be repeated cannot be part of another one")
    }
  }

  static func mayRepeat(after error: PGError) -> Bool {
    error.fault == .server
      && (error.code == .serializationFailure || error.code == .deadlockDetected)
  }

  /// A short time, longer with every attempt, and different for each of those who collided.
  static func pause(before attempt: Int) -> Duration {
    .microseconds(Int.random(in: 0...(shortestPause << min(attempt, doublings))))
  }

  /// In microseconds.
  private static let shortestPause = 1_000
  private static let doublings = 7

  /// Ends a transaction whose body has returned.
  func leave(_ transaction: Transaction) throws(PGError) {
    // Ended inside, on purpose.
    guard transaction.state == .open else { return }
    try becomeIdle()
    if transactionStatus == .failed {
      try transaction.rollback()
      throw .failedTransaction("invalid block exit: the transaction has failed")
    }
    do throws(PGError) { try transaction.commit() } catch {
      // A savepoint that cannot be released would leave the outer block failed.
      if transaction.state == .open, !isClosed { try? transaction.rollback() }
      throw error
    }
  }
}
