import Foundation
import PGTestCluster
import Testing

@testable import PGKit

/// Values of every type of every server, sent in both formats and received in both, compared there.
///
/// `PGKIT_ROUND_TRIPS` says how many values of each type; the seed is fixed.
@Suite("Round trips of every type", .enabled(if: TestServer.isAvailable, "no server is installed"))
struct TypeRoundTripTests {
  private static let count =
    ProcessInfo.processInfo.environment["PGKIT_ROUND_TRIPS"].flatMap { Int($0) }

  /// The server takes no values of these from clients.
  private static let unsendable: Set<String> = [
    "gtsvector", "pg_node_tree", "pg_ndistinct", "pg_dependencies", "pg_mcv_list",
    "pg_brin_bloom_summary", "pg_brin_minmax_multi_summary",
    // Of a key of an index, in `ltree` only.
    "public.ltree_gist", "public.ghstore",
  ]

  private static let ownTypes = """
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'hap"py', 'with , space');
    CREATE DOMAIN positive AS int CHECK (VALUE <> 123454321);
    CREATE DOMAIN twice AS positive;
    CREATE TYPE part AS (a int, b text, c numeric[]);
    CREATE TYPE whole AS ("A b" part, parts part[], m mood, d twice, r int4range, j jsonb);
    CREATE TYPE floats AS RANGE (subtype = float8);
    CREATE TYPE outer_whole AS (w whole, ws whole[], f floats, at timestamptz);
    CREATE TABLE kept(id int, gone text, t text, w whole);
    ALTER TABLE kept DROP COLUMN gone;
    CREATE DOMAIN parts AS part[];
    """

  @Test("in binary and in text, both ways", arguments: TestServer.installations)
  func all(installation: Installation) throws {
    let cluster = try TemporaryCluster(installation: installation)
    defer { try? cluster.close() }
    let db = try Connector(cluster.connectionOptions()).connect()
    for name in ["hstore", "citext", "ltree", "vector"] {
      try? db.execute("CREATE EXTENSION \(name)")
    }
    try db.execute(Self.ownTypes)
    let rows = try db.query(
      """
      SELECT t.oid, format('%I.%I', n.nspname, t.typname),
        CASE WHEN n.nspname = 'pg_catalog' THEN t.typname ELSE n.nspname || '.' || t.typname END,
        coalesce(t.typtype = 'c' OR e.typtype = 'c', false)
      FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
      WHERE t.typtype <> 'p' AND t.typisdefined AND n.nspname <> 'pg_toast' ORDER BY t.oid
      """)
    #expect(rows.count > 500)
    var tried = 0
    for row in rows {
      let (_, sql, name, isComposite) = try row.decode((UInt32, String, String, Bool).self)
      if Self.isUnsendable(name) { continue }
      do { try check(db, sql, count: Self.count ?? (isComposite ? 3 : 30)) } catch {
        Issue.record("\(sql): \(error)")
      }
      tried += 1
    }
    #expect(tried > 450)
  }

  private static func isUnsendable(_ name: String) -> Bool {
    unsendable.contains(name.replacing("pg_catalog._", with: ""))
      || unsendable.contains(String(name.drop { $0 == "_" }))
      || unsendable.contains(name.replacing("public._", with: "public."))
  }

  private func check(_ db: Connection, _ type: String, count: Int) throws {
    let ps = try db.prepare(
      """
      SELECT format('%s', $1::\(type)), format('%s', $2::text::\(type)), $1::\(type),
        format('%s', $1::\(type)) IS NOT DISTINCT FROM format('%s', $2::text::\(type))
      """)
    let known = try #require(db.types.type(ps.pgParameterTypes[0]), "\(type)")
    var generator = ValueGenerator(seed: UInt64(known.oid.rawValue))
    for _ in 0..<count {
      let next = generator.next(of: known)
      let value = try #require(next, "no values of \(type)")
      let result: QueryResult
      let written = try text(of: value, as: known)
      do throws(PGError) { result = try ps(value, written) } catch {
        // A server may be built without XML.
        if error.code == .featureNotSupported, type.hasSuffix("xml") { return }
        // What has no next value cannot be the last one of a range of whole numbers or days.
        let isBeyond = error.code == .numericValueOutOfRange || error.code == .datetimeFieldOverflow
        if isBeyond, known.containsRange { continue }
        Issue.record("\(type) \(value): \(error.report)")
        return
      }
      let row = result[0]
      let (server, other) = try row.decode((String, String).self)
      let isSame = try row[3, as: Bool.self]
      #expect(isSame, "\(type) \(value): \(server), \(other)")
      // What was received in binary looks as the server shows it, and its text reads as the same.
      let received = try row[2]
      let text = try ByteReader.over(Array(server.utf8)) { reader throws(PGError) in
        try PGValue(&reader, type: known.values, format: .text)
      }
      if type.hasSuffix("money") { continue }
      let own = try self.text(of: received, as: known)
      #expect(own == server, "\(type)")
      #expect(try self.text(of: text, as: known) == own, "\(type)")
      if !isSame || own != server { return }
    }
  }

  private func text(of value: PGValue, as type: PGType) throws -> String {
    try #require(!value.isNull, "NULL of \(type)")
    var writer = ByteWriter()
    // How an amount of money looks is the server's choice; this is what this one's locale has.
    if type.name.hasPrefix("money") { return value.description }
    try value.encodeText(as: type.values, into: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

extension PGType {
  /// Whether there is a range somewhere in a value.
  fileprivate var containsRange: Bool {
    if bound != nil || range != nil { return true }
    let parts = attributes?.map(\.type) ?? [element].compactMap { $0 }
    return parts.contains { $0.values.containsRange }
  }
}
