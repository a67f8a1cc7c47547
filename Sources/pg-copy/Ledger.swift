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

  /// The job's name.
  let job: String
  private let every: Duration?
  /// The receiving table's name with its schema, whatever the command line calls it.
  private let target: String
  /// What is copied, and from where.
  private let source: String

  /// Finds the record of a job, and makes the table for it where it is not there.
  ///
  /// - Throws: ``PGError``: the server's.
  init(
    job: String, every: Duration?, target table: CopyTable, source: String, _ connection: Connection
  ) throws(PGError) {
    (self.job, self.every, self.source) = (job, every, source)
    target =
      try connection.query.first(
        """
        SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = $1::pg_catalog.text::pg_catalog.regclass
        """, try table.quotedName(), as: String.self) ?? ""
    try install(connection)
  }

  /// Two runs that make the table at the same time wait for each other.
  private func install(_ connection: Connection) throws(PGError) {
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
        job text NOT NULL, every_seconds float8 NOT NULL, period bigint NOT NULL, target text NOT NULL,
        part int NOT NULL, parts int NOT NULL, run_id text NOT NULL,
        source text NOT NULL, source_snapshot text, rows bigint NOT NULL, bytes bigint NOT NULL,
        checksum text,
        committed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
        PRIMARY KEY (job, target, every_seconds, period, part));
      COMMIT
      """)
  }

  /// Looks what has been done.
  ///
  /// - Throws: ``PGError`` 55000 if it was done from another source, which is another job.
  func look(_ connection: Connection) throws(PGError) -> Record {
    let row = try connection.query(
      """
      SELECT count(*) FILTER (WHERE period = due),
        coalesce(pg_catalog.max(parts) FILTER (WHERE period = due), 0),
        coalesce(pg_catalog.max(run_id) FILTER (WHERE period = due), ''),
        coalesce(pg_catalog.max(due) - pg_catalog.max(period) FILTER (WHERE period < due) - 1, 0),
        coalesce(pg_catalog.max(source) FILTER (WHERE period = due), '')
      FROM pgkit.copy_ledger, (SELECT \(Self.period) AS due) AS now
      WHERE job = $2 AND target = $3 AND every_seconds = $1
      """, seconds, job, target
    ).row(at: 0)
    let (stored, all) = (try row[0, as: Int.self], try row[1, as: Int.self])
    if stored == 0 { return Record(state: .open, missed: try row[3, as: Int.self]) }
    let other = try row[4, as: String.self]
    guard other == source else {
      throw PGError(
        code: .objectNotInPrerequisiteState,
        message: "job \(job) has stored rows there from another source: \(other), not \(source)",
        fault: .server, hint: "each source needs a --job of its own")
    }
    let state: State =
      stored >= all ? .done : .half(run: try row[2, as: String.self], parts: stored, of: all)
    return Record(state: state, missed: try row[3, as: Int.self])
  }

  /// Takes out what is on record for this time, because the rows are taken out, too.
  func forget(_ connection: Connection) throws(PGError) {
    try connection.query(
      """
      DELETE FROM pgkit.copy_ledger
      WHERE job = $2 AND target = $3 AND every_seconds = $1 AND period = \(Self.period)
      """, seconds, job, target)
  }

  /// Writes what was done; a job that has been done meanwhile is a unique violation.
  func write(_ entry: Entry, _ connection: Connection) throws(PGError) {
    try connection.query(
      """
      INSERT INTO pgkit.copy_ledger(
        every_seconds, period, job, target, run_id, rows, bytes, checksum, source_snapshot, part, parts,
        source)
      VALUES ($1, \(Self.period), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
      """, seconds, job, target, entry.run, entry.rows, entry.bytes, entry.checksum, entry.snapshot,
      entry.part, entry.parts, source)
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
