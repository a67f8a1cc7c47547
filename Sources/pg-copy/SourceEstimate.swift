internal import PGKit

/// How much a table holds, as its server estimates it without reading it.
struct SourceEstimate {
  /// Rows, as of the last VACUUM or ANALYZE; `nil` before there was one.
  let rows: Int?
  /// What it takes on the server's disk.
  let bytes: Int
  /// The size of a block.
  let blockSize: Int

  /// The number of blocks.
  var blocks: Int { parts(of: blockSize) }

  /// More than any table has: 2^32 blocks of 32 KiB.
  private static let mostBytes = 1 << 48
  /// The sizes of a block that a server can be built with.
  private static let blockSizes = 1 << 10...1 << 15

  /// How many parts of so many bytes it has.
  func parts(of size: Int) -> Int { bytes == 0 ? 0 : (bytes - 1) / max(size, 1) + 1 }

  /// - Throws: ``PGError``: the server's, if there is no such table.
  init(_ table: CopyTable, _ connection: Connection) throws(PGError) {
    let row = try connection.query(
      """
      SELECT c.reltuples::bigint, pg_catalog.pg_relation_size(c.oid),
        pg_catalog.current_setting('block_size')::int
      FROM pg_catalog.pg_class c WHERE c.oid = $1::pg_catalog.text::pg_catalog.regclass
      """, try table.quotedName()
    ).row(at: 0)
    let estimate = try row[0, as: Int.self]
    rows = estimate >= 0 ? estimate : nil
    bytes = min(max(try row[1, as: Int?.self] ?? 0, 0), Self.mostBytes)
    let sizes = Self.blockSizes
    blockSize = min(max(try row[2, as: Int.self], sizes.lowerBound), sizes.upperBound)
  }
}
