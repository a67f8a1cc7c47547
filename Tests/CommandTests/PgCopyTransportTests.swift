import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// Between servers of different versions and databases of different encodings.
@Suite(
  "pg-copy, transports", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyTransportTests {
  private let program = BuiltProgram("pg-copy")

  /// Pairs of different servers, both ways.
  static let pairs: [[Installation]] = {
    let all = TestServer.installations
    guard let first = all.first else { return [] }
    return all.dropFirst().flatMap { [[first, $0], [$0, first]] }
  }()

  /// A column of nearly every type that servers bring along.
  private static let everyType = """
    CREATE TABLE every(
      b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric, m money, t text, v varchar(20),
      c char(7), n1 name, q "char", y bytea, d date, ti time, tz timetz, ts timestamp, tt timestamptz,
      iv interval, u uuid, j json, jb jsonb, jp jsonpath, ip inet, ci cidr, ma macaddr,
      m8 macaddr8, bi bit(5), vb varbit, po point, li line, ls lseg, bo box, pa path, pg polygon,
      ce circle, tv tsvector, tq tsquery, ir int4range, nr numrange, im int4multirange, ia int4[],
      ta text[], oi oid, rc regclass, ln pg_lsn, xi xid, x8 xid8, td tid, cd cid, sn pg_snapshot,
      ts2 txid_snapshot, ov oidvector, iv2 int2vector, rf refcursor, rt regtype, rp regprocedure,
      lr int8range, dr daterange, sr tsrange, zr tstzrange, lm int8multirange, nm nummultirange,
      dm datemultirange, sm tsmultirange, zm tstzmultirange, ba bool[], ya bytea[], pa2 point[],
      ja jsonb[], va varchar(5)[], ra int4range[], aa int4[][][]);
    INSERT INTO every SELECT
      s % 2 = 0, s, s * 1000, s::int8 << 32, s / 3.0, s / 7.0, s::numeric / 11, s::text::money,
      'text ' || s || E' tab\\t nl\\n bs\\\\ \\u00e9\\u20ac', 'v' || s, 'c' || s, 'n' || s, chr(65 + s % 26)::"char",
      decode(lpad(to_hex(s), 6, '0'), 'hex'), date '2024-01-31' + s, time '01:02:03.000004' + s * interval '1 s',
      '12:34:56.789+05:30', timestamp '2024-02-29 12:00' + s * interval '1 day',
      timestamptz '1999-12-31 23:59:59.999999+00' - s * interval '1 hour',
      s * interval '1 month 2 days 00:00:03.5', md5(s::text)::uuid,
      json_build_object('a', s), jsonb_build_object('b', array[s, null]), '$.a[*] ? (@ > 1)',
      ('10.0.0.' || s % 255)::inet, '10.1.0.0/16', '08:00:2b:01:02:03',
      '08:00:2b:01:02:03:04:05', s::bit(5), s::bit(9)::varbit, point(s, -s), '{1,2,3}', '[(0,0),(1,1)]',
      '((0,0),(1,1))', '[(0,0),(1,2),(3,4)]', '((0,0),(1,2),(3,4))', '<(1,2),3>', 'a:1 b:2',
      'a & b', int4range(s, s + 5), numrange(null, s), int4multirange(int4range(1, 3), int4range(5, 7)),
      array[s, null, -s], array['a,b', null, '"q"', ''], s, 'pg_class', '16/B374D848', s::text::xid, s::text::xid8, '(7,8)', s::text::cid, '10:20:10,14,15',
      '10:20:10,14,15', '1 2 3', '4 5', ('cursor ' || s)::refcursor, 'pg_catalog.int4', 'pg_catalog.abs(int4)',
      int8range(s, null), daterange('2024-01-31', null), tsrange(null, '2024-01-31'),
      tstzrange('2024-01-31 12:00+00', 'infinity'), int8multirange(int8range(1, 3)),
      nummultirange(numrange(1.5, 2.5), numrange(7, null)), '{[2024-01-01,2024-02-01)}',
      '{["2024-01-01 00:00","2024-02-01 00:00")}', '{["2024-01-01 00:00+00",)}', array[true, null, false],
      array['\\x00ff'::bytea, null], array[point(1, 2)], array['{"a":1}'::jsonb, null], '{abc,"d,e"}',
      array[int4range(1, s + 1), 'empty'], '[0:0][1:2][3:4]={{{1,2},{3,NULL}}}'
      FROM generate_series(1, 200) AS s;
    INSERT INTO every DEFAULT VALUES;
    INSERT INTO every(f4, f8, n, d, ts, iv) VALUES ('NaN', '-Infinity', 'NaN', 'infinity', '-infinity', '-1 day +02:03')
    """

  private func fingerprint(_ iri: String, _ table: String = "every") throws -> String {
    let db = try PGKit.open(iri)
    defer { db.close() }
    try db.execute(
      "SET extra_float_digits = 3; SET DateStyle = ISO; SET IntervalStyle = postgres; SET TimeZone = UTC; SET bytea_output = hex"
    )
    return try db.query.first(
      """
      SELECT count(*) || ':' || md5(string_agg(h, '' ORDER BY h)) FROM
        (SELECT md5(convert_to((e.*)::text, 'UTF8')) AS h FROM \(table) AS e) AS hashes
      """, as: String.self) ?? ""
  }

  @Test("every type, from one version to another, as text and binary", arguments: pairs)
  func versions(pair: [Installation]) throws {
    let source = try CopyCluster(pair[0])
    defer { source.close() }
    let target = try CopyCluster(pair[1])
    defer { target.close() }
    let (from, to) = try (source.database("UTF8"), target.database("UTF8"))
    for (iri, isSource) in [(from, true), (to, false)] {
      let db = try PGKit.open(iri)
      let statements = Self.everyType.components(separatedBy: ";\nINSERT")
      try db.execute(isSource ? Self.everyType : statements[0])
      db.close()
    }
    for format in ["text", "binary", "auto"] {
      let outcome = try program.run(
        [from, "every", "--to", to, "--format", format, "--replace", "truncate", "--verify"])
      #expect(outcome.end == .exit(0), "\(format): \(outcome.errors)")
      #expect(try fingerprint(from) == (try fingerprint(to)), "\(format)")
    }
  }

  @Test("types of one's own have other numbers there: they travel as text", arguments: pairs)
  func ownTypes(pair: [Installation]) throws {
    let source = try CopyCluster(pair[0])
    defer { source.close() }
    let target = try CopyCluster(pair[1])
    defer { target.close() }
    let (from, to) = try (source.iri(), target.iri())
    for (iri, isSource) in [(from, true), (to, false)] {
      let db = try PGKit.open(iri)
      // So that no number is the same at both ends.
      if !isSource { try db.execute("CREATE TABLE first(a int, b text)") }
      try db.execute(
        """
        CREATE TYPE mood AS ENUM ('glad', 'so so');
        CREATE DOMAIN small AS int CHECK (VALUE < 1000);
        CREATE TYPE pair AS (number small, mood mood, words text[]);
        CREATE TABLE every(m mood, s small, p pair, ps pair[], ms mood[])
        """)
      if isSource {
        try db.execute(
          """
          INSERT INTO every SELECT 'so so', i, (i, 'glad', ARRAY['a,b', NULL])::pair,
            ARRAY[(i, NULL, '{}')::pair, NULL], '{glad,NULL,"so so"}' FROM generate_series(1, 200) AS i;
          INSERT INTO every DEFAULT VALUES
          """)
      }
      db.close()
    }
    let outcome = try program.run([from, "every", "--to", to, "--verify", "--summary", "json"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try CopySummary(outcome).format == "text")
    #expect(try fingerprint(from) == (try fingerprint(to)))
  }

  /// From an encoding to another, with a text that both have.
  struct Change: Sendable, CustomStringConvertible {
    let from: String
    let to: String
    /// What is stored at the source, in its bytes.
    let stored: [UInt8]
    /// What arrives; `nil` if the receiver cannot have it.
    let arrives: [UInt8]?
    var description: String { "\(from) to \(to): \(stored)" }
  }

  private static let changes = [
    Change(from: "LATIN1", to: "UTF8", stored: [0xE9, 0xFC], arrives: [0xC3, 0xA9, 0xC3, 0xBC]),
    Change(from: "UTF8", to: "LATIN1", stored: [0xC3, 0xA9], arrives: [0xE9]),
    Change(from: "UTF8", to: "LATIN1", stored: [0xE2, 0x82, 0xAC], arrives: nil),
    Change(from: "EUC_JP", to: "UTF8", stored: [0xC6, 0xFC], arrives: [0xE6, 0x97, 0xA5]),
    Change(from: "SQL_ASCII", to: "SQL_ASCII", stored: [0xE9, 0xFF], arrives: [0xE9, 0xFF]),
    Change(from: "SQL_ASCII", to: "UTF8", stored: [0xC3, 0xA9], arrives: [0xC3, 0xA9]),
    Change(from: "SQL_ASCII", to: "UTF8", stored: [0xE9], arrives: nil),
    Change(from: "UTF8", to: "SQL_ASCII", stored: [0xC3, 0xA9], arrives: [0xC3, 0xA9]),
    Change(from: "LATIN1", to: "SQL_ASCII", stored: [0xE9], arrives: [0xC3, 0xA9]),
  ]

  @Test(
    "texts arrive as what they are in another encoding, or are refused",
    arguments: ["text", "binary"])
  func encodings(format: String) throws {
    let cluster = try CopyCluster()
    defer { cluster.close() }
    for change in Self.changes {
      let (from, to) = try (cluster.database(change.from), cluster.database(change.to))
      for iri in [from, to] {
        let db = try PGKit.open(iri)
        try db.execute("CREATE TABLE word(id int, word text)")
        if iri == from {
          let digits = change.stored.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
          try db.execute(
            """
            INSERT INTO word SELECT 1, convert_from(decode('\(digits)', 'hex'), '\(change.from)');
            INSERT INTO word VALUES (2, E'plain \\\\. \\\\N \\x01\\x1f')
            """)
        }
        db.close()
      }
      let outcome = try program.run([from, "word", "--to", to, "--format", format])
      let db = try PGKit.open(to)
      defer { db.close() }
      guard let arrives = change.arrives else {
        #expect(outcome.end == .exit(3), "\(change)")
        #expect(try db.query("TABLE word").count == 0)
        continue
      }
      #expect(outcome.end == .exit(0), "\(change): \(outcome.errors)")
      let bytes = try db.query.first(
        "SELECT encode(textsend(word), 'hex') FROM word WHERE id = 1 AND set_config('client_encoding', getdatabaseencoding(), false) <> ''",
        as: String.self)
      let expected = arrives.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      #expect(bytes == expected, "\(change)")
    }
  }
}
