internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// Sees to it that `--read-only` stays true.
///
/// The server refuses to write while a transaction is read only. A session only has a default for that, which
/// any statement can change, so it is looked at after each.
struct ReadOnlyGuard {
  private let connection: Connection
  private let isOn: Bool
  /// Whether a statement runs in a transaction of our own.
  private var isWrapped = false

  init(_ connection: Connection, isOn: Bool) { (self.connection, self.isOn) = (connection, isOn) }

  /// Keeps what may commit in its middle, and then begin a transaction that writes, from that: by a
  /// transaction around it, in which something has been asked already.
  mutating func prepare(for statement: ScriptStatement) throws(PGError) {
    guard isOn, !statement.mayRunAgain else { return }
    if connection.transactionStatus == .idle {
      try connection.execute("BEGIN READ ONLY")
      isWrapped = true
    }
    if connection.transactionStatus == .inTransaction { try connection.execute("SELECT 1") }
  }

  /// - Throws: ``RunEnded`` if the statement has switched it off, or ``StatementFailure``.
  mutating func check(after statement: ScriptStatement) throws {
    guard isOn else { return }
    do throws(PGError) {
      if isWrapped { try connection.execute("COMMIT") }
      isWrapped = false
      guard connection.transactionStatus != .failed else { return }
      let answer = try connection.query.text("SHOW transaction_read_only").collect()
      if try answer.first?[0, as: String.self] == "on" { return }
    } catch {
      throw StatementFailure(
        failure: error.failure(of: OpenCommand.program, place: statement.place), cause: error)
    }
    throw RunEnded(
      failure: Failure(
        .refused,
        Diagnostic(
          program: OpenCommand.program, severity: .error, code: .readOnlySqlTransaction,
          message: "\(statement.piece.firstWord) would switch off --read-only",
          place: statement.place,
          details: [("HINT", "take it out of the script, or leave out --read-only")])))
  }

  /// Ends the transaction around a statement that has failed.
  mutating func giveUp() {
    if isWrapped, !connection.isClosed { try? connection.execute("ROLLBACK") }
    isWrapped = false
  }
}
