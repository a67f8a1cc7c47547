internal import PGKit

/// How much a table holds, as its server estimates it without reading it.
struct SourceEstimate {
  /// Rows, as of the last VACUUM or ANALYZE; `nil` before there was one.
  let rows: Int?
  /// What it takes on the server's disk.
  let bytes: Int
  /// The size of a block.
  let blockSize: Int

  /// How many tables inherit from it, directly or not: their rows are not its own, and COPY leaves them out.
  let heirs: Int

  /// The number of blocks.
  var blocks: Int { parts(of: blockSize) }

  /// More than any table has: 2^32 blocks of 32 KiB.
  private static let mostBytes = 1 << 48
  /// The sizes of a block that a server can be built with.
  private static let blockSizes = 1 << 10...1 << 15

  /// How many parts of so many bytes it has.
  func parts(of size: Int) -> Int { bytes == 0 ? 0 : (bytes - 1) / max(size, 1) + 1 }

  /// What is said of tables that inherit from it.
  static func remark(on heirs: Int, of table: CopyTable) -> String {
    let which = heirs == 1 ? "1 table inherits" : "\(heirs) tables inherit"
    let whose = heirs == 1 ? "its rows are" : "their rows are"
    return "\(which) from \(table.path.joined(separator: ".")): \(whose) not copied with it"
  }

  /// - Throws: ``PGError``: the server's, if there is no such table.
  init(_ table: CopyTable, _ connection: Connection) throws(PGError) {
    let row = try connection.query(
      """
      SELECT c.reltuples::bigint, pg_catalog.pg_relation_size(c.oid),
        pg_catalog.current_setting('block_size')::int, CASE WHEN c.relhassubclass THEN (
          WITH RECURSIVE below(part) AS (
            SELECT inhrelid FROM pg_catalog.pg_inherits WHERE inhparent = c.oid
            UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below ON i.inhparent = below.part)
          SELECT count(*) FROM below) ELSE 0 END
      FROM pg_catalog.pg_class c WHERE c.oid = $1::pg_catalog.text::pg_catalog.regclass
      """, try table.quotedName()
    ).row(at: 0)
    let estimate = try row[0, as: Int.self]
    rows = estimate >= 0 ? estimate : nil
    bytes = min(max(try row[1, as: Int?.self] ?? 0, 0), Self.mostBytes)
    let sizes = Self.blockSizes
    blockSize = min(max(try row[2, as: Int.self], sizes.lowerBound), sizes.upperBound)
    heirs = try row[3, as: Int.self]
  }
}
