import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// The sections "Transactions", "Transaction Configuration", "Transaction Interface Points" and "Error
/// Control" of py-postgresql's driver document.
@Suite("Transactions", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct TransactionTests {
  private let db: Connection
  private let name = "xact_\(UInt64.random(in: 0...UInt64.max))"

  init() throws { db = try TestServer.shared.connect() }

  private func exists(_ table: String) throws -> Bool {
    try db.query.first("SELECT to_regclass($1) IS NOT NULL", table, as: Bool.self) == true
  }

  private func create(_ suffix: String = "") throws {
    try db.execute("CREATE TABLE \(name)\(suffix)(i int)")
  }

  private struct Own: Error {}

  // MARK: The scoped form

  @Test("commits when the body returns, and gives its result")
  func commits() throws {
    let result = try db.withTransaction { transaction in
      #expect(transaction.state == .open && !transaction.isSavepoint)
      try create()
      return 7
    }
    #expect(result == 7)
    #expect(try exists(name))
    #expect(db.transactionStatus == .idle)
  }

  @Test("rolls back when the body throws, and throws the same")
  func rollsBack() throws {
    #expect(throws: Own.self) {
      try db.withTransaction { _ in
        try create()
        throw Own()
      }
    }
    #expect(try !exists(name))
    let error = #expect(throws: PGError.self) {
      try db.withTransaction { _ in try db.execute("SELEKT") }
    }
    #expect(error?.code == .syntaxError)
    #expect(db.transactionStatus == .idle)
  }

  @Test("an error that was caught inside makes leaving it an error: invalid block exit")
  func invalidExit() throws {
    let error = #expect(throws: PGError.self) {
      try db.withTransaction { _ in
        try create()
        try? db.execute("SELEKT")
      }
    }
    #expect(error?.code == .inFailedSqlTransaction)
    // The server's own has the server's fault.
    #expect(error?.fault == .caller)
    #expect(db.transactionStatus == .idle)
    #expect(try !exists(name))
  }

  @Test("the same holds for a savepoint, and the block around it stays usable")
  func invalidSavepointExit() throws {
    try db.withTransaction { _ in
      try create()
      let error = #expect(throws: PGError.self) {
        try db.withTransaction { inner in
          #expect(inner.isSavepoint)
          try create("_inner")
          try? db.execute("SELEKT")
        }
      }
      #expect(error?.code == .inFailedSqlTransaction && error?.fault == .caller)
      #expect(db.transactionStatus == .inTransaction)
    }
    #expect(try exists(name))
    #expect(try !exists(name + "_inner"))
  }

  @Test("three levels, with a failure in the innermost")
  func nested() throws {
    try db.withTransaction { _ in
      try create()
      try db.withTransaction { _ in
        try create("_2")
        #expect(throws: PGError.self) {
          try db.withTransaction { _ in
            try create("_3")
            try db.execute("SELECT 1/0")
          }
        }
        try create("_4")
      }
    }
    #expect(try exists(name) && exists(name + "_2") && exists(name + "_4"))
    #expect(try !exists(name + "_3"))
  }

  @Test("a rolled-back savepoint is released as well")
  func released() throws {
    try db.withTransaction { _ in
      let inner = db.transaction()
      try inner.start()
      try inner.rollback()
      try inner.rollback()
      let error = #expect(throws: PGError.self) { try db.execute("RELEASE pgkit_savepoint_1") }
      #expect(error?.code == .invalidSavepointSpecification)
      try? db.execute("ROLLBACK")
      try db.execute("BEGIN")
    }
  }

  @Test("a connection closed inside is told when leaving")
  func closedInside() throws {
    let error = #expect(throws: PGError.self) { try db.withTransaction { _ in db.close() } }
    #expect(error?.code == .connectionDoesNotExist)
  }

  @Test("what was ended inside on purpose is left alone")
  func endedInside() throws {
    try db.withTransaction { transaction in
      try create()
      try transaction.rollback()
    }
    #expect(try !exists(name))
    #expect(db.transactionStatus == .idle)
  }

  @Test("rows that were not all taken do not keep it from ending, and stay")
  func rowsUnderWay() throws {
    let rows = try db.withTransaction { _ in
      let rows = try db.query.rows("SELECT generate_series(1, 100000)")
      _ = try rows.next()
      return rows
    }
    #expect(db.transactionStatus == .idle)
    var count = 1
    while try rows.next() != nil { count += 1 }
    #expect(count == 100_000)
  }

  // MARK: Configuration

  @Test("isolation, mode and deferrable are those of the server")
  func configuration() throws {
    try db.withTransaction(isolation: .serializable, mode: .readOnly, deferrable: true) {
      (_) throws in
      #expect(try db.settings["transaction_isolation"] == "serializable")
      #expect(try db.settings["transaction_read_only"] == "on")
      #expect(try db.settings["transaction_deferrable"] == "on")
    }
    for isolation in Transaction.Isolation.allCases {
      try db.withTransaction(isolation: isolation) { (_) throws in
        #expect(try db.settings["transaction_isolation"] == isolation.rawValue.lowercased())
      }
    }
    let error = #expect(throws: PGError.self) {
      try db.withTransaction(mode: .readOnly) { _ in try create() }
    }
    #expect(error?.code == .readOnlySqlTransaction)
  }

  @Test("a configured one cannot start inside another")
  func configuredInside() throws {
    try db.withTransaction { _ in
      let error = #expect(throws: PGError.self) {
        try db.transaction(isolation: .serializable).start()
      }
      #expect(error?.code == .operationError)
      #expect(db.transactionStatus == .inTransaction)
    }
  }

  // MARK: Start, commit, rollback

  @Test("does nothing before it is started, and nothing again when told twice")
  func repeats() throws {
    let transaction = db.transaction()
    #expect(transaction.state == .notStarted)
    #expect(db.transactionStatus == .idle)
    try transaction.start()
    try transaction.start()
    #expect(db.transactionStatus == .inTransaction)
    try transaction.commit()
    try transaction.commit()
    #expect(transaction.state == .committed)
    let other = db.transaction()
    try other.start()
    try other.rollback()
    try other.rollback()
    #expect(other.state == .rolledBack)
  }

  @Test("refuses what is out of order")
  func order() throws {
    func expectMistake(_ body: () throws(PGError) -> Void) {
      do throws(PGError) {
        try body()
        Issue.record("nothing was thrown")
      } catch { #expect(error.code == .operationError) }
    }
    let fresh = db.transaction()
    expectMistake(fresh.commit)
    expectMistake(fresh.rollback)
    let committed = db.transaction()
    try committed.start()
    try committed.commit()
    expectMistake(committed.rollback)
    expectMistake(committed.start)
    let rolledBack = db.transaction()
    try rolledBack.start()
    try rolledBack.rollback()
    expectMistake(rolledBack.commit)
    expectMistake(rolledBack.start)
    expectMistake { () throws(PGError) in try rolledBack.prepare("x") }
  }

  @Test("a COMMIT that the server answers with ROLLBACK is an error")
  func failedCommit() throws {
    let transaction = db.transaction()
    try transaction.start()
    try? db.execute("SELEKT")
    let error = #expect(throws: PGError.self) { try transaction.commit() }
    #expect(error?.code == .inFailedSqlTransaction)
    #expect(transaction.state == .rolledBack)
    #expect(db.transactionStatus == .idle)
  }

  @Test("a commit that a deferred constraint refuses is a rollback")
  func deferredConstraint() throws {
    try db.execute("CREATE TABLE \(name)(i int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    let transaction = db.transaction()
    try transaction.start()
    try db.execute("INSERT INTO \(name) VALUES (1), (1)")
    let error = #expect(throws: PGError.self) { try transaction.commit() }
    #expect(error?.code == .uniqueViolation)
    #expect(transaction.state == .rolledBack)
    #expect(db.transactionStatus == .idle)
  }

  // MARK: Two phases

  @Test("a prepared transaction outlives its session, and another one commits it")
  func prepared() throws {
    for commits in [true, false] {
      let suffix = commits ? "_kept" : "_gone"
      let first = try db.clone()
      let transaction = first.transaction()
      try transaction.start()
      try first.execute("CREATE TABLE \(name)\(suffix)(i int)")
      try transaction.prepare(name + "'\(suffix)")
      #expect(transaction.state == .prepared)
      #expect(first.transactionStatus == .idle)
      first.close()
      #expect(try !exists(name + suffix))
      let other = db.transaction(prepared: name + "'\(suffix)")
      if commits { try other.commit() } else { try other.rollback() }
      #expect(try exists(name + suffix) == commits)
    }
    let missing = #expect(throws: PGError.self) { try db.transaction(prepared: "nobody").commit() }
    #expect(missing?.code == .undefinedObject)
  }

  @Test("a global name is quoted as the session reads strings")
  func quotedName() throws {
    try db.settings.set("standard_conforming_strings", to: "off")
    let transaction = db.transaction()
    try transaction.start()
    let global = "\(name)\\'; SELECT 1/0; --"
    try transaction.prepare(global)
    #expect(
      try db.query.first(
        "SELECT count(*) FROM pg_prepared_xacts WHERE gid = $1", global, as: Int.self) == 1)
    try transaction.rollback()
  }

  @Test("preparing a failed transaction is an error, not a promise")
  func preparedFailed() throws {
    let transaction = db.transaction()
    try transaction.start()
    try? db.execute("SELEKT")
    let error = #expect(throws: PGError.self) { try transaction.prepare(name) }
    #expect(error?.code == .inFailedSqlTransaction)
    #expect(transaction.state == .rolledBack)
  }

  // MARK: Again

  @Test("is repeated after a failed serialization, and only then")
  func retries() throws {
    try db.execute("CREATE TABLE \(name)(i int); INSERT INTO \(name) VALUES (0)")
    let other = try db.clone()
    var runs = 0
    try db.withRetryingTransaction { _ in
      runs += 1
      _ = try db.query("SELECT i FROM \(name)")
      if runs < 3 { try other.execute("UPDATE \(name) SET i = i + 1") }
      try db.execute("UPDATE \(name) SET i = i + 10")
    }
    #expect(runs == 3)
    #expect(try db.query.first("SELECT i FROM \(name)", as: Int.self) == 12)

    runs = 0
    let error = #expect(throws: PGError.self) {
      try db.withRetryingTransaction(attempts: 2) { _ in
        runs += 1
        try db.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")
      }
    }
    #expect(runs == 2 && error?.code == .serializationFailure)
    runs = 0
    #expect(throws: PGError.self) {
      try db.withRetryingTransaction { _ in
        runs += 1
        try db.execute("SELECT 1/0")
      }
    }
    #expect(runs == 1)
    #expect(throws: PGError.self) {
      try db.withTransaction { _ in try db.withRetryingTransaction { _ in } }
    }
  }
}
