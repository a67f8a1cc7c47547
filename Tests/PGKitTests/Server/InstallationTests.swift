import Testing

@testable import PGKit

@Suite("Installation")
struct InstallationTests {
  @Test(
    "reads versions as servers and distributions write them",
    arguments: [
      ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", "15.18"),
      ("postgres (PostgreSQL) 9.6.24\n", "9.6.24"),
      ("PostgreSQL 19devel", "19devel"),
      ("postgres (PostgreSQL) 18beta1\n", "18beta1"),
      ("postgres (PostgreSQL) 17.0 - Percona Distribution\n", "17.0"),
    ])
  func versions(text: String, parts: String) throws {
    let parsed = try #require(Installation.parseVersion(text))
    #expect(parsed.parts.description == parts)
    #expect(!parsed.version.contains("\n"))
    #expect(text.contains(parsed.version))
  }

  @Test(
    "takes no number from text that has none, or one that no version has",
    arguments: ["", "postgres", "\n15.1", "99999999999999999999.1", "1.2.3.4"])
  func nonsense(text: String) {
    #expect(Installation.parseVersion(text) == nil)
  }

  @Test("says where it looked in vain")
  func missing() {
    let none = #expect(throws: PGError.self) { try Installation.find("/no/such/place") }
    #expect(none?.message.contains("/no/such/place") == true)
    let empty = #expect(throws: PGError.self) { try Installation.find("/") }
    #expect(empty?.message.contains("\"postgres\" is missing") == true)
    let version = #expect(throws: PGError.self) { try Installation.find("7") }
    #expect(version?.message.contains("PostgreSQL 7") == true)
  }
}
