internal import ArgumentParser
internal import PGKit

/// A table whose rows are events, and which of them consumers have acknowledged.
///
/// The rows are read in the order of their transactions, and only below the oldest one that is still
/// running: a key alone would skip the rows of a transaction that commits late.
struct DurableTable: ExpressibleByArgument, Hashable, Sendable {
  /// What is appended to the table's name for that of its consumers.
  private static let suffix = "_consumers"
  /// Source: PostgreSQL manual, "Identifiers and Key Words".
  private static let longestName = 63

  private let parts: [String]

  /// Reads a name, with its schema or without, each in quotes where SQL asks for them.
  init?(argument: String) {
    guard let parts = try? SQL.splitQualifiedName(argument), (1...2).contains(parts.count),
      let name = parts.last, name.utf8.count + Self.suffix.utf8.count <= Self.longestName
    else { return nil }
    self.parts = parts
  }

  /// The name as SQL has it.
  var name: String { Self.joined(parts) }
  /// The name of the table of consumers as SQL has it.
  var consumers: String { related(Self.suffix) }
  private var function: String { related("_wake") }

  private func related(_ suffix: String) -> String {
    Self.joined(parts.dropLast() + parts.suffix(1).map { $0 + suffix })
  }

  private static func joined(_ parts: [String]) -> String {
    // Without a NUL, which no argument has, nothing is refused.
    (try? SQL.qualifiedNameIfNeeded(parts)) ?? parts.joined(separator: ".")
  }

  /// What a session listens on to be woken by rows of the table with this OID.
  static func wakeChannel(_ oid: String) -> String { "pg_listen:\(oid)" }

  /// Finds it on a server, with that of its consumers.
  ///
  /// - Returns: Its OID.
  /// - Throws: ``PGError``: the server's; 42P01 if one of them is not there, with how to make them.
  func oid(on connection: Connection, until deadline: Deadline) throws(PGError) -> String {
    let found = try connection.query.text(
      """
      SELECT pg_catalog.to_regclass($1)::pg_catalog.oid::text,
        pg_catalog.to_regclass($2)::pg_catalog.oid::text
      """, [name, consumers], until: deadline
    ).collect()
    guard let oid = try found.first?[0, as: String?.self] ?? nil else { throw missing(name) }
    guard try found.first?[1, as: String?.self] ?? nil != nil else { throw missing(consumers) }
    return oid
  }

  private func missing(_ table: String) -> PGError {
    PGError(
      code: .undefinedTable, message: "there is no table \(table)", fault: .server,
      hint: "make it: \(ListenCommand.program) durable install '\(name)' | psql …")
  }

  /// What makes the table, for its owner to read and run.
  var definition: String {
    """
    -- A row of \(name) is an event. Any session may add one, of any size:
    --   INSERT INTO \(name) (channel, payload) VALUES ('jobs', '{"id": 1}');
    -- and this prints each at least once, in the order of their transactions:
    --   pg-listen --durable \(name) --consumer NAME
    BEGIN;
    CREATE TABLE \(name) (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      xid xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(),
      channel text NOT NULL DEFAULT '',
      payload text NOT NULL DEFAULT '',
      stored_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
    );
    CREATE INDEX ON \(name) (xid, id);
    -- How far each consumer has come. Consumers need SELECT on \(name), and SELECT, INSERT and
    -- UPDATE here.
    CREATE TABLE \(consumers) (
      consumer text PRIMARY KEY,
      xid xid8 NOT NULL DEFAULT '0',
      id bigint NOT NULL DEFAULT 0,
      acknowledged_at timestamptz
    );
    -- A notification wakes consumers; it says nothing of the rows.
    CREATE FUNCTION \(function)() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_catalog.pg_notify('\(Self.wakeChannel("' || TG_RELID, '"))');
      RETURN NULL;
    END $$;
    CREATE TRIGGER wake AFTER INSERT ON \(name)
      FOR EACH STATEMENT EXECUTE FUNCTION \(function)();
    COMMIT;
    -- The server refuses to prepare a transaction that has notified. Who adds rows in two phases does
    -- without being woken, and rows are looked for every 30 seconds:
    --   ALTER TABLE \(name) DISABLE TRIGGER wake;
    -- Transactions have numbers of their own on every server. Where these tables were restored from another
    -- one (pg_dump), this makes the rows older than all new ones; no consumer misses one, and some may come
    -- to it again:
    --   BEGIN;
    --   UPDATE \(consumers) AS c SET xid = '0', id = coalesce(
    --     (SELECT min(id) - 1 FROM \(name) AS o WHERE (o.xid, o.id) > (c.xid, c.id) OR o.id > c.id),
    --     (SELECT max(id) FROM \(name)), c.id);
    --   UPDATE \(name) SET xid = '0';
    --   COMMIT;
    -- Rows stay until they are deleted. What all consumers have acknowledged:
    --   DELETE FROM \(name) WHERE (xid, id) <=
    --     (SELECT xid, id FROM \(consumers) ORDER BY xid, id LIMIT 1);

    """
  }
}
