import Glibc
import PGKit
import PGTestCluster
import Testing

/// When pg-copy begins, and what it says of a source that it holds for long.
@Suite("pg-copy, times", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyTimeTests {
  private let scene: CopyFixture

  init() throws { scene = try CopyFixture() }

  // MARK: --splay

  @Test("--splay waits before anything: no server is asked, and a signal ends it at once")
  func splayWaits() throws {
    let running = try scene.start(scene.to(1) + ["--splay", "10h", "--job", scene.name])
    usleep(700_000)
    #expect(running.isRunning)
    let sessions = try scene.db.query.first(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", "pg-copy:\(scene.name)",
      as: Int.self)
    #expect(sessions == 0)
    running.signal(SIGUSR1)
    try running.waitForErrors("pg-copy: waiting: 0 rows, ")
    let start = ContinuousClock.now
    running.signal(SIGTERM)
    #expect(try running.wait().end == .signal(SIGTERM))
    #expect(ContinuousClock.now - start < .seconds(2))
    #expect(try scene.rows(1) == 0)
  }

  @Test("--splay waits a time by chance, and then everything is done")
  func splayEnds() throws {
    var times: [Duration] = []
    for _ in 0..<6 {
      let start = ContinuousClock.now
      let outcome = try scene.copy(scene.to(1) + ["--splay", "600ms", "--replace", "delete"])
      times.append(ContinuousClock.now - start)
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      #expect(try scene.isEqual(1))
    }
    let (shortest, longest) = try (#require(times.min()), #require(times.max()))
    #expect(longest - shortest > .milliseconds(30), "\(times)")
    #expect(try scene.copy(scene.to(2) + ["--splay", "0s"]).end == .exit(0))
  }

  @Test("the time of --deadline counts from the beginning of --splay")
  func splayDeadline() throws {
    let outcome = try scene.copy(
      scene.to(1) + ["--splay", "10h", "--deadline", "400ms", "--summary", "json"])
    #expect(outcome.end == .exit(4))
    #expect(outcome.errors.contains("the time of --deadline is over; nothing was committed"))
    let summary = try CopySummary(outcome)
    #expect(summary.exit_code == 4)
    #expect(summary.statuses == ["rolled_back"])
    let wrong = try scene.copy(scene.to(1) + ["--splay", "soon"])
    #expect(wrong.end == .exit(64))
    #expect(wrong.errors.contains("--splay"))
  }

  // MARK: A slow receiver

  @Test(
    "a slow receiver costs no memory, and the age of the source's snapshot is told with its name")
  func slowReceiver() throws {
    try scene.db.execute(
      """
      CREATE FUNCTION \(scene.name)_f() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_sleep(1); RETURN NEW; END$$;
      CREATE TRIGGER t BEFORE INSERT ON \(scene.name)_2 FOR EACH ROW
        EXECUTE FUNCTION \(scene.name)_f()
      """)
    // A kilobyte a second, of a hundred megabytes.
    let query = "SELECT generate_series(1, 100000), repeat('x', 1000)"
    let running = try scene.start(scene.to(1) + scene.to(2) + ["--snapshot-age", "1s"], query)
    let words = "WARNING: the snapshot has been held for "
    try running.waitForErrors(words, times: 2)
    running.signal(SIGUSR1)
    try running.waitForErrors(", snapshot held for ")
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    let warnings = outcome.errors.split(separator: "\n").filter { $0.contains(words) }
    #expect(warnings.count < 6, "it is told when it has doubled: \(warnings)")
    #expect(warnings.allSatisfy { $0.hasPrefix("pg-copy: source (") })
    #expect(warnings.last?.contains("; it waits for receiver 2 (") == true, "\(warnings)")
    #expect(outcome.peakMemory < 40 * 1024)
    for number in 1...2 { #expect(try scene.rows(number) == 0) }
  }

  @Test("a young snapshot is not worth a word, and 0 is never")
  func young() throws {
    try scene.db.execute("UPDATE \(scene.name) SET name = repeat('y', 1000)")
    for more in [["--snapshot-age", "0"], []] {
      let outcome = try scene.copy(
        scene.to(1) + ["--rate", "1MB/s", "--replace", "delete"] + more)
      #expect(outcome.end == .exit(0))
      #expect(!outcome.errors.contains("snapshot"))
    }
  }
}
