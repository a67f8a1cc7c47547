import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

@Suite(
  "pg-cluster: what clusters begin with",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgClusterSeedTests {
  private let scene: ClusterScene
  private let folder: ScratchFolder
  private let pgOpen = BuiltProgram("pg-open").path

  init() throws {
    scene = try ClusterScene()
    folder = try ScratchFolder()
  }

  private func seeded(
    _ seeds: String..., asking question: String = "SELECT 1"
  ) throws -> BuiltProgram.Outcome {
    defer { scene.remove() }
    return try scene.run(
      ["run"] + seeds.flatMap { ["--seed", $0] } + [
        "--", "sh", "-c", "\"\(pgOpen)\" \"$PGKIT_IRI\" \"\(question)\"",
      ])
  }

  @Test(
    "a seed is a script as pg_dump writes them: with data behind COPY, and whatever no block takes")
  func scripts() throws {
    try folder.write(
      "CREATE TABLE t (a int, b text);\nCOPY t FROM stdin;\n1\tone\n2\t\\N\n\\.\n"
        + "CREATE DATABASE other;\n",
      to: "mig/1.sql")
    try folder.write("VACUUM t;\nBEGIN;\nINSERT INTO t VALUES (3, $$;$$);\nCOMMIT", to: "mig/2.sql")
    let outcome = try seeded(
      folder.path + "/mig/*.sql",
      asking: "SELECT count(*), count(b), (SELECT count(*) FROM pg_database) FROM t")
    #expect(outcome.lines == ["3\t2\t4"], "\(outcome.errors)")
  }

  @Test(
    "a seed that fails is told with its line, the code and a remedy only where there is one",
    arguments: [
      ("SELECT 1;\n\nSELECT\n 1/0;", ":3 failed: 22012 ", nil),
      ("SELECT 1;\nSELECT\n nix;", ":3 failed: 42703 ", nil),
      ("CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\nx\n\\.\n", ":4 failed: 22P02 ", nil),
      ("SELECT 1;\n\\connect x\n", ":2 failed: 42601 ", "HINT: psql's own commands"),
      ("SELECT 1;\nSELECT 'x", ":2 failed: 42601 ", nil),
      ("BEGIN; CREATE TABLE q (a int);", "leaves a transaction open", "HINT: COMMIT is missing"),
    ] as [(String, String, String?)])
  func failures(sql: String, words: String, hint: String?) throws {
    let file = try folder.write(sql, to: "bad.sql")
    let outcome = try seeded(file)
    #expect(outcome.end == .exit(125))
    #expect(outcome.errors.contains("\"\(file)\"") && outcome.errors.contains(words))
    #expect(hint.map(outcome.errors.contains) ?? !outcome.errors.contains("HINT"))
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("a pattern that nothing matches is an error, not an empty seed")
  func nothingMatches() throws {
    let outcome = try seeded(folder.path + "/*.sql")
    #expect(outcome.end == .exit(125))
    #expect(outcome.errors.contains("no file matches seed"))
  }

  @Test("a seed may come through a pipe; several versions cannot read it")
  func pipes() throws {
    let fifo = folder.path + "/fifo"
    mkfifo(fifo, 0o600)
    let writer = try BuiltProgram(absolute: "/bin/sh").start([
      "-c", "echo 'CREATE TABLE piped AS SELECT 8 AS a' >\"$0\"", fifo,
    ])
    let outcome = try seeded(fifo, asking: "TABLE piped")
    #expect(outcome.lines == ["8"], "\(outcome.errors)")
    _ = try writer.wait()
    let several = try scene.run(["run", "--versions", "15", "--seed", fifo, "--", "true"])
    #expect(several.end == .exit(64) && several.errors.contains("only once"))
  }

  @Test(
    "a signal ends what waits for a seed that nobody writes, within the grace",
    arguments: [SIGTERM, SIGINT, SIGHUP])
  func unwrittenPipe(signal: CInt) throws {
    defer { scene.remove() }
    let fifo = folder.path + "/fifo"
    mkfifo(fifo, 0o600)
    let running = try scene.start(["run", "--grace", "1s", "--seed", fifo, "--", "true"])
    usleep(500_000)
    let begin = ContinuousClock.now
    running.signal(signal)
    #expect(try running.wait(timeout: .seconds(20)).end == .signal(signal))
    #expect(ContinuousClock.now - begin < .seconds(8))
    try scene.waitUntilNothingIsHeld()
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("a signal ends a seed's command that takes its time, and what it has begun is gone")
  func slowCommand() throws {
    defer { scene.remove() }
    let running = try scene.start([
      "run", "--grace", "1s", "--seed-cmd", "echo begun >&2; exec sleep 600", "--", "true",
    ])
    try running.waitForErrors("begun", timeout: .seconds(60))
    running.signal(SIGTERM)
    #expect(try running.wait(timeout: .seconds(20)).end == .signal(SIGTERM))
    try scene.waitUntilNothingIsHeld()
    #expect(try scene.leftovers().isEmpty)
  }
}
