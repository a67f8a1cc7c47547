import PGKit
import PGTestCluster
import Testing

/// The examples of py-postgresql's two documents, in their order: each does in Swift what is printed there
/// and expects the same result.
///
/// One file for each chapter, and each test begins with the name of its section. Where another test
/// showed an example already, the head of the chapter's file says which. What PGKit does differently on
/// purpose is tested as well, and its comment says so; the article "Coming from py-postgresql" has the
/// reasons.
///
/// The driver document: EstablishingAConnection, Connections, PreparedStatements, ParameterizedStatements,
/// InsertingAndDML, CopyStatements, Cursors, Rows, RowTransformations, Queries, StoredProcedures,
/// Transactions, Settings, TypeSupport, DatabaseMessages. The reference: PostgresqlAPI, PostgresqlSys,
/// PostgresqlString.
@Suite("Documents", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
enum Documents {
  /// A name that no other test has.
  static func uniqueName(_ beginning: String = "document") -> String {
    "\(beginning)_\(UInt64.random(in: 0...UInt64.max))"
  }
}
