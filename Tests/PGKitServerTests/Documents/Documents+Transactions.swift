import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: commit, rollback and savepoints by the scope, every isolation level, modes, a configured transaction
// inside another, the explicit methods in and out of order, and two phases, in TransactionTests.

extension Documents {
  @Suite("Transactions")
  struct TransactionsTests {
    private let db: Connection

    init() throws {
      db = try TestServer.shared.connect()
      try db.execute("CREATE TEMP TABLE t(i int PRIMARY KEY)")
    }

    private func values() throws -> [Int] {
      try db.query.column("SELECT i FROM t ORDER BY 1", as: Int.self).collect()
    }

    @Test("Transactions: a transaction is started, and committed when its scope ends")
    func scope() throws {
      try db.withTransaction { _ in try db.execute("INSERT INTO t VALUES (1)") }
      #expect(try values() == [1] && db.transactionStatus == .idle)
    }

    @Test("Transactions: an error of Swift is fatal to it, too")
    func ownError() throws {
      #expect(throws: Documents.Unexpected.self) {
        try db.withTransaction { _ in
          try db.execute("INSERT INTO t VALUES (1)")
          throw Documents.Unexpected()
        }
      }
      #expect(try values().isEmpty && db.transactionStatus == .idle)
    }

    // MARK: Transaction Configuration

    @Test("Transaction Configuration: SERIALIZABLE")
    func isolation() throws {
      try db.withTransaction(isolation: .serializable) { (transaction) throws in
        #expect(transaction.isolation == .serializable && transaction.mode == nil)
        #expect(try db.settings["transaction_isolation"] == "serializable")
      }
    }

    @Test("Transaction Configuration: READ ONLY and READ WRITE")
    func mode() throws {
      let error = #expect(throws: PGError.self) {
        try db.withTransaction(mode: .readOnly) { (transaction) throws in
          #expect(transaction.mode == .readOnly && transaction.isolation == nil)
          try db.execute("CREATE TABLE not_made(i int)")
        }
      }
      #expect(error?.code == .readOnlySqlTransaction)
      try db.execute("SET default_transaction_read_only = on")
      try db.withTransaction(mode: .readWrite) { (_) throws in
        #expect(try db.settings["transaction_read_only"] == "off")
      }
    }

    @Test("Transaction Configuration: savepoints take none")
    func savepoint() throws {
      try db.withTransaction { _ in
        let error = #expect(throws: PGError.self) {
          try db.withTransaction(isolation: .readCommitted) { _ in }
        }
        #expect(error?.code == .operationError)
        try db.withTransaction { inner in #expect(inner.isSavepoint) }
      }
    }

    // MARK: Transaction Interface Points

    @Test("Transaction Interface Points: start, commit, rollback")
    func methods() throws {
      let x = db.transaction()
      try x.start()
      try db.execute("INSERT INTO t VALUES (1)")
      try x.commit()
      let y = db.transaction()
      try y.start()
      try db.execute("INSERT INTO t VALUES (2)")
      try y.rollback()
      #expect(try values() == [1])
    }

    // There the COMMIT of a failed block "will succeed without exception", and rolls back.
    @Test("Transaction Interface Points: commit in an error state rolls back, and says so")
    func commitFailed() throws {
      let x = db.transaction()
      try x.start()
      try db.execute("INSERT INTO t VALUES (1)")
      #expect(throws: PGError.self) { try db.execute("INSERT INTO t VALUES (1)") }
      let error = #expect(throws: PGError.self) { try x.commit() }
      #expect(error?.code == .inFailedSqlTransaction)
      #expect(try values().isEmpty && db.transactionStatus == .idle)
    }

    // MARK: Error Control

    @Test("Error Control: a database error is trapped outside of the transaction")
    func trapped() throws {
      try db.execute("INSERT INTO t VALUES (1)")
      do {
        try db.withTransaction { _ in try db.execute("INSERT INTO t VALUES (2), (1)") }
        Issue.record("nothing was thrown")
      } catch let error as PGError where error.code == .uniqueViolation {}
      #expect(try values() == [1])
    }

    @Test("Error Control: an error that is trapped inside is an invalid block exit")
    func invalidExit() throws {
      try db.execute("INSERT INTO t VALUES (1)")
      let error = #expect(throws: PGError.self) {
        try db.withTransaction { _ in
          do {
            try db.execute("INSERT INTO t VALUES (2), (1)")
          } catch let error as PGError where error.code == .uniqueViolation {}
        }
      }
      #expect(error?.message.hasPrefix("invalid block exit") == true)
      #expect("\(error?.code ?? .internalError)" == "25P02" && error?.severity == "ERROR")
      #expect(try values() == [1])
    }

    @Test("Error Control: the driver's 25P02 is told from the server's by its source")
    func source() throws {
      var server: PGError?
      let driver = #expect(throws: PGError.self) {
        try db.withTransaction { _ in
          try? db.execute("SELECT 1/0")
          do throws(PGError) { try db.execute("SELECT 1") } catch { server = error }
        }
      }
      #expect(server?.code == .inFailedSqlTransaction && server?.fault == .server)
      #expect(driver?.code == .inFailedSqlTransaction && driver?.fault == .caller)
    }

    @Test("Error Control: the same holds for a savepoint")
    func savepointExit() throws {
      try db.withTransaction { _ in
        try db.execute("INSERT INTO t VALUES (1)")
        let error = #expect(throws: PGError.self) {
          try db.withTransaction { _ in try? db.execute("INSERT INTO t VALUES (2), (1)") }
        }
        #expect(error?.code == .inFailedSqlTransaction && error?.fault == .caller)
        try db.execute("INSERT INTO t VALUES (3)")
      }
      #expect(try values() == [1, 3])
    }
  }
}
