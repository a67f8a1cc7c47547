import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What follows from one receiver's failure, by its own words.
@Suite(
  "pg-copy, policies", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgCopyPolicyTests {
  private let scene: CopyFixture

  init() throws { scene = try CopyFixture() }

  private func block(_ number: Int) throws {
    try scene.db.execute("INSERT INTO \(scene.name)_\(number) VALUES (900, 'in the way')")
  }

  @Test("without a required receiver nobody commits", arguments: [";required", ";on-fault=abort"])
  func required(policy: String) throws {
    try block(2)
    let outcome = try scene.copy(
      scene.to(1) + scene.to(2, policy) + scene.to(3) + ["--summary", "json"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("nothing is committed"))
    #expect(try scene.summary(outcome).statuses == ["rolled_back", "rolled_back", "rolled_back"])
    #expect(try scene.rows(1) == 0)
    #expect(try scene.rows(2) == 1)
    #expect(try scene.rows(3) == 0)
  }

  @Test("without a required receiver that cannot be reached nobody commits, and the status is 2")
  func unreachable() throws {
    let outcome = try scene.copy(
      scene.to(1) + ["--to", "postgres://u@127.0.0.1:1/d;table=x;required"])
    #expect(outcome.end == .exit(2))
    #expect(try scene.rows(1) == 0)
  }

  @Test("the failure of a best-effort receiver is told, and is no failure")
  func bestEffort() throws {
    try block(2)
    let outcome = try scene.copy(
      scene.to(1) + scene.to(2, ";best-effort") + ["--summary", "json"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.errors.contains("23505"))
    let summary = try scene.summary(outcome)
    #expect(summary.statuses == ["committed", "rolled_back"])
    #expect(summary.receivers[1].sqlstate == "23505")
    #expect(try scene.copy(scene.to(2, ";best-effort")).end == .exit(3))
  }

  @Test("a receiver that is killed is given everything once more, from the same snapshot")
  func replay() throws {
    try scene.db.execute(
      "ALTER TABLE \(scene.name) DROP CONSTRAINT \(scene.name)_pkey; "
        + "INSERT INTO \(scene.name) SELECT i, repeat('x', 100) FROM generate_series(1001, 300000) i"
    )
    let running = try scene.start(
      scene.to(1) + scene.to(2, ";on-fault=replay") + ["--summary", "json", "--rate", "10MB/s"])
    let process = try scene.wait(for: "COPY \"\(scene.name)_2\"%")
    // What comes later is not in the snapshot.
    try scene.db.execute("INSERT INTO \(scene.name) VALUES (-7, 'later')")
    try scene.terminate(process)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.errors.contains("57P01"))
    #expect(outcome.errors.contains("from the beginning, attempt 1"))
    #expect(try scene.summary(outcome).statuses == ["committed", "committed"])
    #expect(try scene.rows(1) == 300_000)
    #expect(try scene.rows(2) == 300_000)
    let same = try scene.ask(
      """
      SELECT (SELECT sum(hashtextextended((t.*)::text, 0)) FROM \(scene.name)_1 t)
        = (SELECT sum(hashtextextended((t.*)::text, 0)) FROM \(scene.name)_2 t)
      """, as: Bool.self)
    #expect(same == true)
  }

  @Test(
    "the only receiver is killed, and is given everything once more, in parts as well",
    arguments: [
      [], ["--split", "4"],
    ])
  func replayAlone(more: [String]) throws {
    try scene.db.execute(
      "INSERT INTO \(scene.name) SELECT i, repeat('x', 100) FROM generate_series(1001, 50000) i")
    let running = try scene.start(
      scene.to(1, ";on-fault=replay;required") + ["--verify", "--rate", "2MB/s"] + more)
    try scene.terminate(try scene.wait(for: "COPY \"\(scene.name)_1\"%"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try scene.isEqual(1))
  }

  @Test("--retry begins again when the source is lost, as long as nothing is committed")
  func retry() throws {
    try scene.db.execute(
      "INSERT INTO \(scene.name) SELECT i, repeat('x', 100) FROM generate_series(1001, 50000) i")
    for (count, status) in [(0, Int32(2)), (2, 0)] {
      let running = try scene.start(
        scene.to(1) + ["--rate", "2MB/s", "--replace", "delete", "--retry", "\(count)"])
      try scene.terminate(try scene.wait(for: "COPY \"\(scene.name)\" %TO STDOUT%"))
      let outcome = try running.wait()
      #expect(outcome.end == .exit(status), "\(outcome.errors)")
      #expect(outcome.errors.contains("pg-copy: source ("))
      #expect(try scene.rows(1) == (status == 0 ? 50_000 : 0))
    }
  }

  @Test(
    "a receiver that was never there is not given everything once more: nobody knows its columns")
  func neverThere() throws {
    let outcome = try scene.copy(
      scene.to(1) + ["--to", "postgres://u@127.0.0.1:1/d;table=x;on-fault=replay"]
        + ["--summary", "json"])
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    #expect(summary.statuses == ["committed", "rolled_back"])
    #expect(summary.receivers[1].sqlstate?.hasPrefix("08") == true)
    #expect(!outcome.errors.contains("from the beginning"))
    #expect(try scene.isEqual(1))
  }

  @Test("a receiver that refuses rows is not given them once more")
  func noReplay() throws {
    try block(2)
    let outcome = try scene.copy(scene.to(1) + scene.to(2, ";on-fault=replay"))
    #expect(outcome.end == .exit(5))
    #expect(!outcome.errors.contains("from the beginning"))
    #expect(try scene.rows(1) == 1000)
  }

  @Test("a lock that nobody gives up is told with its holder, after the receiver's own limit")
  func lock() throws {
    let holder = try PGKit.open(scene.iri)
    try holder.execute(
      "SET application_name = 'the holder'; BEGIN; LOCK TABLE \(scene.name)_2 IN SHARE MODE")
    defer { holder.close() }
    let limited = "\(scene.iri)?options=-c%20lock_timeout%3D300"
    let outcome = try scene.copy(
      scene.to(1) + ["--to", "\(limited);table=\(scene.name)_2"])
    #expect(outcome.end == .exit(5))
    #expect(outcome.errors.contains("55P03"))
    #expect(outcome.errors.contains("(the holder) has it locked, idle in transaction: SET"))
    #expect(try scene.rows(1) == 1000)
    #expect(try scene.rows(2) == 0)
  }

  @Test("--deadline ends it with 4 and nothing committed")
  func deadline() throws {
    let start = ContinuousClock.now
    let outcome = try scene.copy(
      scene.to(1) + ["--deadline", "500ms", "--summary", "json"],
      "SELECT generate_series(1, 1000000000), 'x'")
    #expect(outcome.end == .exit(4), "\(outcome.errors)")
    #expect(ContinuousClock.now - start < .seconds(6))
    #expect(outcome.errors.contains("the time of --deadline is over; nothing was committed"))
    #expect(try CopySummary(outcome).exit_code == 4)
    #expect(try scene.rows(1) == 0)
  }

  @Test("--rate keeps the speed")
  func rate() throws {
    try scene.db.execute("UPDATE \(scene.name) SET name = repeat('y', 1000)")
    let start = ContinuousClock.now
    let outcome = try scene.copy(scene.to(1) + ["--rate", "500kB/s"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let duration = ContinuousClock.now - start
    // A megabyte at half a megabyte a second, the last piece without a pause behind it.
    #expect(duration > .milliseconds(1500) && duration < .seconds(10), "\(duration)")
    #expect(try scene.rows(1) == 1000)
  }

  // MARK: stdout and files

  @Test(
    "a file that fails ends everything, unless its operand says otherwise",
    arguments: [
      ("", Int32(1), 0), (";required", 1, 0), (";on-fault=abort", 1, 0),
      (";on-fault=drop", 5, 1000),
      (";best-effort", 0, 1000),
    ])
  func fileFails(policy: String, status: Int32, rows: Int) throws {
    let outcome = try scene.copy(
      scene.to(1) + ["--to", "/dev/full\(policy)", "--summary", "json"])
    #expect(outcome.end == .exit(status), "\(outcome.errors)")
    #expect(outcome.errors.contains("/dev/full is no file"), "\(outcome.errors)")
    let summary = try CopySummary(outcome)
    #expect(summary.statuses == [rows == 0 ? "rolled_back" : "committed", "rolled_back"])
    #expect(try scene.rows(1) == rows)
  }

  @Test(
    "a stdout that fails is never status 0; its operand says whether the others commit",
    arguments: [BuiltProgram.Output.full, .brokenPipe])
  func stdoutFails(output: BuiltProgram.Output) throws {
    for policy in [";on-fault=drop", ";best-effort"] {
      try scene.db.execute("TRUNCATE \(scene.name)_1")
      let outcome = try scene.program.run(
        [scene.iri, scene.name] + scene.to(1) + ["--to", "-\(policy)", "--summary", "json"],
        output: output)
      #expect(outcome.end == .exit(5), "\(outcome.errors)")
      #expect(outcome.errors.hasPrefix("pg-copy: stdout: "), "\(outcome.errors)")
      #expect(try CopySummary(outcome).statuses == ["committed", "rolled_back"])
      #expect(try scene.isEqual(1))
    }
  }

  @Test("the summary says of stdout what it has got although nothing is committed")
  func delivered() throws {
    try block(1)
    let whole = try scene.copy(["--to", "-"] + scene.to(1, ";required") + ["--summary", "json"])
    #expect(whole.end == .exit(3))
    let summary = try CopySummary(whole)
    #expect(summary.statuses == ["delivered", "rolled_back"])
    #expect(summary.receivers[0].bytes == whole.output.utf8.count)
    #expect(whole.output.split(separator: "\n").count == 1000)

    try scene.db.execute(
      "INSERT INTO \(scene.name) SELECT i, repeat('x', 100) FROM generate_series(1001, 50000) i")
    let running = try scene.start(["--to", "-", "--rate", "2MB/s", "--summary", "json"])
    let process = try scene.wait(for: "COPY \"\(scene.name)\" %TO STDOUT%")
    try running.waitForOutput("row 500\n")
    try scene.terminate(process)
    let cut = try running.wait()
    #expect(cut.end == .exit(2), "\(cut.errors)")
    let receiver = try CopySummary(cut).receivers[0]
    #expect(receiver.status == "partial")
    #expect(receiver.bytes == cut.output.utf8.count && receiver.bytes > 0)
  }

  @Test(
    "stdout whose reader stops, or quits, has got some of it, and the summary says so",
    arguments: [
      ("--to=- --deadline 1s --grace 1s", "sleep 4"), ("'--to=-;on-fault=drop'", "head -c 1000"),
      ("--to=-", "head -c 1000"),
    ])
  func someOfIt(options: String, reader: String) throws {
    try scene.db.execute(
      "INSERT INTO \(scene.name) SELECT i, repeat('x', 100) FROM generate_series(1001, 50000) i")
    let command = """
      said=$(mktemp); "$0" "$1" "$2" \(options) --to "$3" --summary json 2>"$said" | \(reader) >/dev/null
      cat "$said" >&2; rm "$said"
      """
    let outcome = try BuiltProgram(absolute: "/bin/bash").run(
      ["-c", command, scene.program.path, scene.iri, scene.name, scene.to(1)[1]])
    let summary = try CopySummary(outcome)
    let receiver = try #require(summary.receivers.first)
    #expect(receiver.status == "partial", "\(outcome.errors)")
    #expect(receiver.bytes > 0 && summary.bytes >= receiver.bytes, "\(outcome.errors)")
  }

  @Test("--retry begins a file again, which nobody has seen; what stdout has got stays")
  func retryIntoFile() throws {
    let path = try scene.path("rows")
    try scene.db.execute(
      "INSERT INTO \(scene.name) SELECT i, repeat('x', 100) FROM generate_series(1001, 50000) i")
    let running = try scene.start(["--to", path, "--rate", "2MB/s", "--retry", "2"])
    try scene.terminate(try scene.wait(for: "COPY \"\(scene.name)\" %TO STDOUT%"))
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.errors.contains("pg-copy: source ("))
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.split(separator: "\n").count == 50_000)
    let refused = try scene.copy(["--to", "-", "--retry", "1"])
    #expect(refused.end == .exit(64))
    #expect(refused.errors.contains("what was written to stdout stays written"))
    let noServer = try scene.program.run(
      [path, scene.name, "--retry", "1"] + scene.to(1))
    #expect(noServer.end == .exit(64))
    #expect(noServer.errors.contains("--retry needs a server as the source"))
  }

  @Test("--progress says what is waited for before the first row")
  func waitsForLock() throws {
    let holder = try PGKit.open(scene.iri)
    defer { holder.close() }
    try holder.execute("BEGIN; LOCK TABLE \(scene.name)_1 IN ROW SHARE MODE")
    let running = try scene.start(
      scene.to(1) + ["--replace", "truncate", "--progress", "20ms", "--summary", "json"])
    try running.waitForErrors(#""state":"preparing""#)
    try running.waitForErrors(#" to truncate what is there","#)
    running.signal(SIGUSR1)
    try running.waitForErrors(", waiting for receiver 1 (")
    try holder.execute("COMMIT")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    // Nothing comes behind the summary.
    #expect(outcome.errors.split(separator: "\n").last?.hasPrefix("{\"program\"") == true)
    #expect(try scene.isEqual(1))
  }
}
