import PGKit
import PGTestCluster
import Testing

/// The same questions to every server version at hand.
@Suite(
  "server versions", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ServerVersionTests {
  @Test("every version gives the same answers", arguments: TestServer.installations)
  func sameAnswers(installation: Installation) throws {
    let cluster = try TemporaryCluster(installation: installation)
    defer { try? cluster.close() }
    let db = try Connector(cluster.connectionOptions()).connect()
    #expect(String(db.serverVersion.major) == installation.majorVersion)
    let row = try #require(
      try db.query(
        """
        SELECT 1::int2, 2::int4, 3::int8, 1.5::float4, 2.25::float8, 'text', true,
          '\\x00ff'::bytea, 12345.678900::numeric, 'NaN'::numeric,
          'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, date '2024-02-29',
          timestamptz '2024-02-29 12:34:56.789+00', interval '1 mon 2 days 03:04:05',
          '{"a": [1]}'::jsonb, NULL
        """
      ).first)
    let texts = try (0..<row.count).map { try "\(row[$0])" }
    #expect(
      texts == [
        "1", "2", "3", "1.5", "2.25", "text", "t", "\\x00ff", "12345.678900", "NaN",
        "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "2024-02-29", "2024-02-29 12:34:56.789+00",
        "1 mon 2 days 03:04:05", "{\"a\": [1]}", "NULL",
      ])
    try db.execute("CREATE TABLE t(a int)")
    let sink = try db.copyIn("COPY t FROM STDIN")
    try sink.write(Array("1\n2\n".utf8))
    #expect(try sink.finish().rowCount == 2)
    try db.listen("channel")
    try db.execute("NOTIFY channel, 'payload'")
    let events = try db.notifications(until: .after(.seconds(5)))
    #expect(events.map(\.payload) == ["payload"])
    let newest = try Connector(
      ConnectionOptions.parse(cluster.iri() + "?[max_protocol_version]=3.2")
    ).connect()
    #expect(try newest.query("SELECT 1").count == 1)
  }
}
