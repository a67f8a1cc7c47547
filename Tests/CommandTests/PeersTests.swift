import Foundation
import PGTestCluster
import Testing

/// What README.md says of psql beside pg-open.
@Suite(
  "What README.md says of psql",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PeersTests {
  private let open: OpenFixture
  private let psql: BuiltProgram?

  init() throws {
    open = try OpenFixture()
    // Some installations are servers alone.
    psql = open.server.cluster.cluster.installation.executable("psql")
      .map(BuiltProgram.init(absolute:))
  }

  /// What psql makes of it, where it is installed.
  private func ask(_ arguments: [String]) throws -> BuiltProgram.Outcome? {
    try psql?.run(["-X", "-At", "-d", open.server.iri()] + arguments)
  }

  @Test("a script whose first statement fails: 3 and nothing more, where psql goes on and says 0")
  func script() throws {
    let file = try open.file("script.sql", "SELECT 1/0;\nSELECT 2;\n")
    let ours = try open.run(["-f", file])
    #expect(ours.end == .exit(3))
    #expect(ours.output.isEmpty)
    if let theirs = try ask(["-f", file]) {
      #expect(theirs.end == .exit(0))
      #expect(theirs.output == "2\n")
    }
  }

  @Test(
    "an output file keeps what it had when the second query fails, where psql's is half a new one")
  func outputFile() throws {
    let file = try open.file("report", "yesterday\n")
    #expect(try open.run(["-o", file, "SELECT 1", "SELECT 1/0"]).end == .exit(3))
    #expect(open.contents("report") == "yesterday\n")
    if let theirs = try ask(["-o", file, "-c", "SELECT 1", "-c", "SELECT 1/0"]) {
      #expect(theirs.end == .exit(1))
      #expect(open.contents("report") == "1\n")
    }
  }

  @Test("values for $1 come from the command line, where psql has none")
  func parameters() throws {
    #expect(try open.run(["-p", "5", "SELECT $1::int + 1"]).output == "6\n")
    if let theirs = try ask(["-v", "1=5", "-c", "SELECT $1::int + 1"]) {
      #expect(theirs.end == .exit(1))
      #expect(theirs.errors.contains("there is no parameter $1"))
    }
  }
}
