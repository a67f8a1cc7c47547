import Testing

@testable import PGKit

@Suite("ClusterAddress")
struct ClusterAddressTests {
  @Test("its IRI leads back to it", arguments: ["pq", "postgres", "postgresql"])
  func roundTrip(scheme: String) throws {
    for host in ["/tmp/pgkit-Ab1", "/tmp/with blank:colon%", "127.0.0.1", "::1"] {
      let address = ClusterAddress(
        host: host, port: 5433, user: "a b@c", password: "p:/?#[]@%é")
      let parsed = try ConnectionOptions.parse(address.iri(scheme: scheme, database: "d/b"))
      #expect(parsed.hosts == [host])
      #expect(parsed.ports == [5433])
      #expect(parsed.user == "a b@c")
      #expect(parsed.password == "p:/?#[]@%é")
      #expect(parsed.database == "d/b")
    }
  }
}
