internal import PGKit

/// The record of what a job has committed, kept in the receiver and written in the same transaction.
///
/// So it is there exactly if the rows are, and running the same command again is how to go on.
struct Ledger {
  /// What the record says.
  struct Record {
    /// Whether the job has been done for this time.
    let isDone: Bool
    /// For how many times before it was not done.
    let missed: Int
  }

  /// What one part of a run has stored.
  struct Entry {
    let run: String
    let rows: Int
    let bytes: Int
    let checksum: String?
    let snapshot: String?
  }

  private let job: String
  private let every: Duration?
  private let target: String

  init(job: String, every: Duration?, table: CopyTable) {
    (self.job, self.every) = (job, every)
    target = table.path.joined(separator: ".")
  }

  /// Makes the table where it is not there.
  ///
  /// Two runs that make it at the same time wait for each other.
  func install(_ connection: Connection) throws(PGError) {
    let isThere = try connection.query.first(
      "SELECT pg_catalog.to_regclass('pgkit.copy_ledger') IS NOT NULL", as: Bool.self)
    if isThere == true { return }
    try connection.execute(
      """
      BEGIN;
      SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtext('pgkit.copy_ledger'));
      SET LOCAL client_min_messages = warning;
      CREATE SCHEMA IF NOT EXISTS pgkit;
      CREATE TABLE IF NOT EXISTS pgkit.copy_ledger(
        job text NOT NULL, period bigint NOT NULL, target text NOT NULL, run_id text NOT NULL,
        source_snapshot text, rows bigint NOT NULL, bytes bigint NOT NULL, checksum text,
        committed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
        PRIMARY KEY (job, target, period));
      COMMIT
      """)
  }

  /// Looks what has been done.
  func look(_ connection: Connection) throws(PGError) -> Record {
    let row = try connection.query(
      """
      SELECT coalesce(pg_catalog.bool_or(period = \(Self.period)), false),
        coalesce(\(Self.period) - pg_catalog.max(period) FILTER (WHERE period < \(Self.period)) - 1, 0)
      FROM pgkit.copy_ledger WHERE job = $2 AND target = $3
      """, seconds, job, target)[0]
    return Record(isDone: try row[0, as: Bool.self], missed: try row[1, as: Int.self])
  }

  /// Writes what was done; a job that has been done meanwhile is a unique violation.
  func write(_ entry: Entry, _ connection: Connection) throws(PGError) {
    try connection.query(
      """
      INSERT INTO pgkit.copy_ledger(period, job, target, run_id, rows, bytes, checksum, source_snapshot)
      VALUES (\(Self.period), $2, $3, $4, $5, $6, $7, $8)
      """, seconds, job, target, entry.run, entry.rows, entry.bytes, entry.checksum, entry.snapshot)
  }

  /// The number of the time that it is due in, by the receiver's clock; 0 for a job that is done once.
  private static let period =
    """
    CASE WHEN $1::float8 > 0 THEN pg_catalog.floor(pg_catalog.date_part('epoch', pg_catalog.now()) \
    / $1::float8)::bigint ELSE 0 END
    """

  private var seconds: Double {
    guard let (whole, attoseconds) = every?.components else { return 0 }
    return Double(whole) + Double(attoseconds) / 1e18
  }
}
