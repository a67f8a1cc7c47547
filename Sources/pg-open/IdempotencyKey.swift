internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// A name under which work is done once: a row with it is stored in the transaction that does the work.
///
/// Whether a COMMIT took effect that was never answered is then known: the row is there, or it is not.
struct IdempotencyKey {
  /// Makes the table; whoever may, runs it once.
  static let definition = """
    CREATE SCHEMA IF NOT EXISTS pgkit; CREATE TABLE pgkit.idempotency_key \
    (key text PRIMARY KEY, done_at timestamptz NOT NULL DEFAULT now())
    """

  let text: String

  /// Stores the key in the transaction that is open, waiting for others that are at the same work.
  ///
  /// - Returns: `false` if the work is done already.
  /// - Throws: ``StatementFailure``.
  func claim(on connection: Connection) throws(StatementFailure) -> Bool {
    do throws(PGError) {
      let claimed = try connection.query.text(
        """
        INSERT INTO pgkit.idempotency_key (key) VALUES ($1) ON CONFLICT DO NOTHING
        """, [text])
      return try claimed.finish()?.rowCount == 1
    } catch {
      throw StatementFailure(failure: failure(of: error), cause: error)
    }
  }

  private func failure(of error: PGError) -> Failure {
    let failure = error.failure(of: OpenCommand.program)
    guard error.code == .undefinedTable, let diagnostic = failure.diagnostic else { return failure }
    return Failure(
      failure.status,
      Diagnostic(
        program: diagnostic.program, severity: diagnostic.severity, code: diagnostic.code,
        message: "the table of --idempotency-key is missing: \(diagnostic.message)",
        details: [("HINT", Self.definition)]))
  }
}
