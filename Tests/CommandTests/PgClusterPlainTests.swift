import Foundation
import PGTestCluster
import Testing

/// Most command lines of `run` are read without the parser.
///
/// `--grace 5s`, which is so anyhow, makes any the parser's.
@Suite(
  "pg-cluster run: what is read without the parser",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgClusterPlainTests {
  private let scene: ClusterScene

  init() throws { scene = try ClusterScene() }

  private static let shown = [
    "--", "sh", "-c", "echo $PGUSER $PGDATABASE; ls $PGHOST | grep -c .; echo $@",
  ]

  private static let commandLines: [[String]] = [
    shown, shown + ["x", "--", "y"], ["--storage", "disk"] + shown,
    ["--storage", "disk", "--preset", "safe"] + shown, ["--no-cache"] + shown,
    [
      "--set", "work_mem=5MB", "--set", "jit=on", "--", "OPEN", "-c", "SHOW work_mem", "-c",
      "SHOW jit",
    ],
    ["--set", "work_mem=5MB", "--set", "work_mem=6MB", "--", "OPEN", "-c", "SHOW work_mem"],
    ["--tcp", "--", "OPEN", "-c", "SHOW listen_addresses"],
    ["--tls", "--", "OPEN", "-c", "SHOW ssl"],
    ["--preset", "logical", "--", "OPEN", "-c", "SHOW wal_level"],
    ["--seed", "SEED", "--", "OPEN", "-c", "SELECT * FROM t"],
    [
      "--", "OPEN", "-c", "SHOW shared_buffers", "-c", "SHOW max_connections", "-c",
      "SHOW max_locks_per_transaction",
    ],
    ["--", "false"], ["--", "sh", "-c", "exit 7"], ["--", "/nowhere"],
    ["--storage", "nowhere", "--", "true"], ["--preset", "none", "--", "true"], ["--storage"],
    ["--pg", "3", "--", "true"], ["--pg", "--", "true"], ["--set", "nonsense", "--", "true"],
    ["--seed", "/nowhere", "--", "true"], ["--no-such-option", "--", "true"], ["true"], [], ["--"],
    ["--storage", "disk", "--storage", "memory"] + shown, ["--tls", "--tls", "--", "true"],
  ]

  @Test("a command line means the same with the parser and without it", arguments: commandLines)
  func sameMeaning(_ words: [String]) throws {
    defer { scene.remove() }
    let seed = scene.home + "/seed.sql"
    try "CREATE TABLE t AS SELECT 'sown'".write(toFile: seed, atomically: true, encoding: .utf8)
    let words = words.map {
      $0 == "SEED" ? seed : $0 == "OPEN" ? BuiltProgram("pg-open").path : $0
    }
    func outcome(_ more: [String]) throws -> [String] {
      let outcome = try scene.run(["run"] + more + words)
      return ["\(outcome.end)", outcome.output, outcome.errors]
    }
    let plain = try outcome([])
    #expect(try plain == outcome(["--grace", "5s"]))
    #expect(plain != ["exit(0)", "", ""])
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("every option is taken, and none of another's value")
  func everyOption() throws {
    defer { scene.remove() }
    let plain = try scene.run(["run", "--times", "--keep-on-failure", "--", "true"])
    #expect(plain.end == .exit(0))
    #expect(plain.errors.contains(" us: first login"))
    #expect(!plain.errors.contains("kept in"))
    let kept = try scene.run(["run", "--keep", "--", "sh", "-c", "echo $PGHOST"])
    #expect(kept.errors.contains("kept in "), "\(kept)")
    let place = kept.output.filter { $0 != "\n" }
    #expect(try scene.run(["stop", place, "--mode", "immediate"]).end == .exit(0))
    #expect(try scene.run(["drop", place]).end == .exit(0))
  }
}
