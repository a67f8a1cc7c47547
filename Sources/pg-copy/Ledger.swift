internal import PGKit

/// The record of what a job has committed, kept in the receiver and written in the same transaction.
///
/// So it is there exactly if the rows are, and running the same command again is how to go on.
struct Ledger {
  /// How much of a job is done.
  enum State: Equatable {
    case open, done
    /// A run has stored only so many of its parts.
    case half(run: String, parts: Int, of: Int)
  }

  /// What the record says.
  struct Record {
    /// How much of the job has been done for this time.
    let state: State
    /// For how many times before it was not done.
    let missed: Int
  }

  /// What one part of a run has stored.
  struct Entry {
    let run: String
    /// Its number, and how many parts the run has there.
    let part: Int
    let parts: Int
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
        job text NOT NULL, period bigint NOT NULL, target text NOT NULL, part int NOT NULL,
        parts int NOT NULL, run_id text NOT NULL,
        source_snapshot text, rows bigint NOT NULL, bytes bigint NOT NULL, checksum text,
        committed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
        PRIMARY KEY (job, target, period, part));
      COMMIT
      """)
  }

  /// Looks what has been done.
  func look(_ connection: Connection) throws(PGError) -> Record {
    let row = try connection.query(
      """
      SELECT count(*) FILTER (WHERE period = due),
        coalesce(pg_catalog.max(parts) FILTER (WHERE period = due), 0),
        coalesce(pg_catalog.max(run_id) FILTER (WHERE period = due), ''),
        coalesce(pg_catalog.max(due) - pg_catalog.max(period) FILTER (WHERE period < due) - 1, 0)
      FROM pgkit.copy_ledger, (SELECT \(Self.period) AS due) AS now WHERE job = $2 AND target = $3
      """, seconds, job, target)[0]
    let (stored, all) = (try row[0, as: Int.self], try row[1, as: Int.self])
    let state: State =
      stored == 0
      ? .open
      : stored >= all ? .done : .half(run: try row[2, as: String.self], parts: stored, of: all)
    return Record(state: state, missed: try row[3, as: Int.self])
  }

  /// Takes out what is on record for this time, because the rows are taken out, too.
  func forget(_ connection: Connection) throws(PGError) {
    try connection.query(
      """
      DELETE FROM pgkit.copy_ledger WHERE job = $2 AND target = $3 AND period = \(Self.period)
      """, seconds, job, target)
  }

  /// Writes what was done; a job that has been done meanwhile is a unique violation.
  func write(_ entry: Entry, _ connection: Connection) throws(PGError) {
    try connection.query(
      """
      INSERT INTO pgkit.copy_ledger(
        period, job, target, run_id, rows, bytes, checksum, source_snapshot, part, parts)
      VALUES (\(Self.period), $2, $3, $4, $5, $6, $7, $8, $9, $10)
      """, seconds, job, target, entry.run, entry.rows, entry.bytes, entry.checksum, entry.snapshot,
      entry.part, entry.parts)
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
