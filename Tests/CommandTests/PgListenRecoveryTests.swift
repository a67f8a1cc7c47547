import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What pg-listen does when connections are lost: it connects again, and says so in the stream.
@Suite(
  "pg-listen, recovery", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenRecoveryTests {
  private let program = BuiltProgram("pg-listen")
  private let server: TestServer
  private let db: Connection
  /// A channel of this test's own.
  private let channel = "re\(UInt64.random(in: 0...(.max)))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  private func reason(_ output: String) throws -> String? {
    try EventLines.objects(output).first { $0["event"] as? String == "gap" }?["reason"] as? String
  }

  private func start(_ iri: String, _ arguments: String...) throws -> RunningProgram {
    let running = try program.start([iri, channel] + arguments)
    try running.waitForOutput("\"ready\"")
    return running
  }

  /// Waits until it has listened as often.
  private func waitForReady(_ running: RunningProgram, times: Int) throws {
    _ = try running.waitForOutput(timeout: .seconds(60)) {
      $0.split(separator: "\n").filter { $0.contains("\"event\":\"ready\"") }.count >= times
    }
  }

  private var listenerID: Int32? {
    get throws {
      try db.query.first(
        "SELECT pid FROM pg_stat_activity WHERE application_name = $1", "pg-listen:\(channel)",
        as: Int32.self)
    }
  }

  // MARK: How a connection is lost

  @Test("a terminated session: the gap and its reason come before the first event after it")
  func terminated() throws {
    let running = try start(server.iri(), "--count", "4")
    try db.notify([(channel, "1"), (channel, "2")])
    try running.waitForOutput("\"2\"")
    for number in [3, 4] {
      let process = try #require(try listenerID)
      try db.query("SELECT pg_terminate_backend($1, 5000)", process)
      try waitForReady(running, times: number - 1)
      try db.notify(channel, payload: "\(number)")
      // What the next termination overtakes would be missed, and rightly so.
      try running.waitForOutput("\"payload\":\"\(number)\"")
    }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(
      try EventLines.story(outcome.output) == [
        "[ready]", "1", "2", "[gap]", "[ready]", "3", "[gap]", "[ready]", "4",
      ])
    let gaps = try EventLines.objects(outcome.output).filter { $0["event"] as? String == "gap" }
    #expect(
      gaps.map { $0["reason"] as? String } == Array(repeating: "57P01 admin_shutdown", count: 2))
    #expect(gaps.map { $0["last_seq"] as? Int } == [2, 3])
    for gap in gaps {
      let times = try ["down_at", "up_at"].map { try #require(gap[$0] as? String) }
      #expect(times[0] < times[1])
      #expect((gap["source"] as? String)?.hasPrefix("pq://") == true)
    }
    #expect(outcome.errors.contains("57P01 admin_shutdown: lost the connection"))
  }

  @Test("a server that is restarted, in each way", arguments: ["fast", "immediate", "kill"])
  func restarted(way: String) throws {
    let temporary = try TemporaryCluster(installation: nil, TemporaryCluster.Options())
    let running = try start(try temporary.iri(scheme: "postgres"), "--count", "2")
    try temporary.notify(channel, "before")
    try running.waitForOutput("before")
    switch way {
    case "kill":
      let process = try #require(try temporary.cluster.processID())
      kill(process, SIGKILL)
      try temporary.waitUntilGone()
    case "immediate": try temporary.cluster.stop(.immediate)
    default: try temporary.cluster.stop(.fast)
    }
    try running.waitForErrors("attempt 1 failed")
    try temporary.startAgain()
    try waitForReady(running, times: 2)
    try temporary.notify(channel, "after")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(
      try EventLines.story(outcome.output) == ["[ready]", "before", "[gap]", "[ready]", "after"])
    let expected = [
      "fast": ["57P01"], "immediate": ["57P02", "08006"], "kill": ["57P01", "57P02", "08006"],
    ]
    let reason = try #require(try reason(outcome.output))
    #expect(expected[way]?.contains { reason.hasPrefix($0) } == true, "\(reason)")
    try temporary.close()
  }

  @Test("a server that stops answering is noticed by the heartbeat within its deadline")
  func frozen() throws {
    let running = try start(
      server.iri(), "--heartbeat", "300ms", "--heartbeat-timeout", "500ms", "--count", "2")
    try db.notify(channel, payload: "before")
    try running.waitForOutput("before")
    usleep(700_000)
    let process = try #require(try listenerID)
    kill(process, SIGSTOP)
    let frozenAt = try #require(
      try db.query.first(
        "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
        as: String.self))
    defer {
      kill(process, SIGCONT)
    }
    let begin = ContinuousClock.now
    try waitForReady(running, times: 2)
    #expect(ContinuousClock.now - begin < .seconds(5))
    try db.notify(channel, payload: "after")
    let outcome = try running.wait()
    #expect(
      try EventLines.story(outcome.output) == ["[ready]", "before", "[gap]", "[ready]", "after"])
    #expect(try reason(outcome.output)?.hasPrefix("heartbeat: ") == true)
    #expect(
      outcome.errors.contains("08006 connection_failure: lost the connection: the heartbeat failed")
    )
    // Whoever reads again what came since then has it all.
    let gap = try #require(outcome.lines.first { $0.hasPrefix("{\"event\":\"gap\"") })
    let downAt = try #require(gap.firstMatch(of: /"down_at":"([^"]+)"/)?.output.1)
    #expect(downAt < frozenAt)
  }

  @Test("a heartbeat is no event, and keeps a healthy session")
  func heartbeat() throws {
    let running = try start(server.iri(), "--heartbeat", "50ms", "--timeout", "2s")
    try db.notify(channel, payload: "x")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(4))
    #expect(try EventLines.story(outcome.output) == ["[ready]", "x"])
  }

  @Test("a server that is full is tried again until it has room")
  func full() throws {
    var options = TemporaryCluster.Options()
    options.settings = [
      .init("max_connections", "4"), .init("superuser_reserved_connections", "0"),
      .init("max_wal_senders", "0"),
    ]
    let temporary = try TemporaryCluster(installation: nil, options)
    let db = try PGKit.open(temporary.iri(scheme: "postgres"))
    let running = try start(try temporary.iri(scheme: "postgres"), "--count", "1")
    let sessions = try (0..<2).map { _ in try PGKit.open(temporary.iri(scheme: "postgres")) }
    // Its place is taken before it can come back.
    running.signal(SIGSTOP)
    try db.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'pg-listen:%'"
    )
    let last = try PGKit.open(temporary.iri(scheme: "postgres"))
    running.signal(SIGCONT)
    try running.waitForErrors("53300")
    last.close()
    try waitForReady(running, times: 2)
    try db.notify(channel, payload: "after")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(try EventLines.story(outcome.output) == ["[ready]", "[gap]", "[ready]", "after"])
    for session in sessions { session.close() }
    try temporary.close()
  }

  @Test("a changed password ends it with 2; with --retry-all it waits for the new one")
  func rotatedPassword() throws {
    let temporary = try TemporaryCluster(installation: nil, TemporaryCluster.Options())
    let db = try PGKit.open(temporary.iri(scheme: "postgres"))
    try db.execute("CREATE ROLE rotated LOGIN PASSWORD 'first'")
    try "local all rotated scram-sha-256\nlocal all all trust\n".write(
      toFile: temporary.cluster.dataDirectory.path + "/pg_hba.conf", atomically: false,
      encoding: .utf8)
    try temporary.cluster.reload()
    usleep(500_000)
    let file = FileManager.default.temporaryDirectory.appending(path: "pass-\(channel)")
    defer { try? FileManager.default.removeItem(at: file) }
    func write(_ password: String) throws {
      try "*:*:*:rotated:\(password)\n".write(to: file, atomically: true, encoding: .utf8)
      chmod(file.path, 0o600)
    }
    try write("first")
    let place = try temporary.iri(scheme: "postgres").replacing("postgres@", with: "rotated@")
    let iri = "\(place)?passfile=\(file.path)"
    let stubborn = try start(iri, "--retry-all", "--count", "1")
    let simple = try start(iri)
    try db.execute("ALTER ROLE rotated PASSWORD 'second'")
    try db.query(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'rotated'")
    let ended = try simple.wait()
    #expect(ended.end == .exit(2))
    #expect(ended.errors.contains("28P01"))
    try stubborn.waitForErrors("28P01")
    try write("second")
    try waitForReady(stubborn, times: 2)
    try db.notify(channel, payload: "after")
    let outcome = try stubborn.wait()
    #expect(outcome.end == .exit(0))
    #expect(try EventLines.story(outcome.output) == ["[ready]", "[gap]", "[ready]", "after"])
    #expect(!outcome.errors.contains("second"))
    try temporary.close()
  }

  @Test("gives up with 2 when it was down for too long")
  func maximumDowntime() throws {
    let temporary = try TemporaryCluster(installation: nil, TemporaryCluster.Options())
    let running = try start(try temporary.iri(scheme: "postgres"), "--max-downtime", "1s")
    let begin = ContinuousClock.now
    try temporary.cluster.stop(.fast)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(2))
    #expect(ContinuousClock.now - begin >= .milliseconds(900))
    try temporary.close()
  }

  @Test("with --wait it waits for a server that is to come")
  func waitsForFirst() throws {
    let temporary = try TemporaryCluster(installation: nil, TemporaryCluster.Options())
    let iri = try temporary.iri(scheme: "postgres")
    try temporary.cluster.stop(.fast)
    #expect(try program.run([iri, channel]).end == .exit(2))
    #expect(try program.run([iri, channel, "--wait", "300ms"]).end == .exit(2))
    let running = try program.start([iri, channel, "--wait", "60s", "--count", "1"])
    try running.waitForErrors("attempt 1 failed")
    try temporary.startAgain()
    try waitForReady(running, times: 1)
    try temporary.notify(channel, "x")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    // Nothing was missed: it had not listened.
    #expect(try EventLines.story(outcome.output) == ["[ready]", "x"])
    try temporary.close()
  }

  // MARK: What comes before the events

  @Test("a service file that is away for a while is waited for, when it has been there")
  func serviceFile() throws {
    let folder = try ScratchFolder()
    let file = folder.path + "/services"
    let (host, port) = try (
      db.query.first("SHOW unix_socket_directories", as: String.self)?.filter { $0 != "\"" } ?? "",
      db.query.first("SHOW port", as: String.self) ?? ""
    )
    try """
    [events]
    host=\(host)
    port=\(port)
    user=postgres
    dbname=postgres
    """.write(toFile: file, atomically: true, encoding: .utf8)
    let running = try program.start(
      ["service=events", channel, "--count", "1"],
      environment: ["PGSERVICEFILE": file, "PATH": "/usr/bin:/bin"])
    try running.waitForOutput("\"ready\"")
    try FileManager.default.moveItem(atPath: file, toPath: file + ".away")
    let process = try #require(try listenerID)
    try db.query("SELECT pg_terminate_backend($1, 5000)", process)
    try running.waitForErrors("attempt 2 failed: ")
    #expect(running.errors.contains(file))
    try FileManager.default.moveItem(atPath: file + ".away", toPath: file)
    try waitForReady(running, times: 2)
    try db.notify(channel, payload: "after")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(try EventLines.story(outcome.output) == ["[ready]", "[gap]", "[ready]", "after"])
    // One that never was there is a mistake in the command line.
    let wrong = try program.run(
      ["service=events", channel], environment: ["PGSERVICEFILE": file + ".not"])
    #expect(wrong.end == .exit(64))
  }

  @Test("what arrives while a command of --on-ready runs is received, and comes afterwards")
  func receivedMeanwhile() throws {
    let running = try start(
      server.iri(), "--on-ready", "sleep 4", "--count", "2000", "--heartbeat", "1s",
      "--heartbeat-timeout", "1s")
    try db.query(
      "SELECT pg_notify($1, i || repeat('x', 7900)) FROM generate_series(1, 2000) AS i", channel)
    usleep(1_000_000)
    let process = try #require(try listenerID)
    // Its session would wait for it otherwise, with the server's queue behind it.
    let state = try db.query.first(
      "SELECT coalesce(wait_event, '') FROM pg_stat_activity WHERE pid = $1",
      process, as: String.self)
    #expect(state == "ClientRead")
    #expect(running.lines.count == 1)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines.count == 2001)
    #expect(outcome.errors.contains("--on-ready still runs, and events wait for it"))
  }

  @Test("what --on-ready and --on-ready-sql say stands before the first event, after each gap, too")
  func onReady() throws {
    let running = try start(
      server.iri(), "--count", "2", "--on-ready", "echo '{\"event\":\"hook\"}'", "--on-ready-sql",
      "SELECT 1 AS a, NULL AS b, 'é' AS c FROM generate_series(1, 2), pg_sleep(0.2)")
    try running.waitForErrors("listening on")
    try db.notify(channel, payload: "1")
    try running.waitForOutput("\"payload\":\"1\"")
    try db.query("SELECT pg_terminate_backend($1, 5000)", try listenerID)
    // Comes while the query runs: LISTEN is committed by then.
    try waitForReady(running, times: 2)
    try db.notify(channel, payload: "2")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let ready = ["[ready]", "[hook]", "[row]", "[row]"]
    #expect(try EventLines.story(outcome.output) == ready + ["1", "[gap]"] + ready + ["2"])
    let row = try EventLines.objects(outcome.output).first { $0["event"] as? String == "row" }?[
      "row"]
    #expect((row as? [String: Any])?["c"] as? String == "é")
    #expect((row as? [String: Any])?["b"] is NSNull)
  }

  @Test("what the command of --on-ready leaves behind with its stdout holds nothing up")
  func leftBehind() throws {
    let begin = ContinuousClock.now
    let running = try start(
      server.iri(), "--count", "1", "--on-ready", "echo '{}'; sleep 30 2>&- &")
    try running.waitForErrors("listening on")
    try db.notify(channel, payload: "x")
    #expect(try running.wait().end == .exit(0))
    #expect(ContinuousClock.now - begin < .seconds(15))
  }

  @Test("a query that fails ends it with 3, a command with 1, a transaction left open with 1")
  func failingHooks() throws {
    let refused = try program.run([server.iri(), channel, "--on-ready-sql", "SELECT 1/0"])
    #expect(refused.end == .exit(3))
    #expect(refused.errors.contains("22012"))
    #expect(try program.run([server.iri(), channel, "--on-ready-sql", "BEGIN"]).end == .exit(1))
    let failed = try program.run([server.iri(), channel, "--on-ready", "exit 7"])
    #expect(failed.end == .exit(1))
    #expect(failed.errors.contains("exited with status 7"))
  }

  // MARK: Several sources

  @Test("several sources: each has its numbers, its name, and its own gaps")
  func sources() throws {
    let temporary = try TemporaryCluster(installation: nil, TemporaryCluster.Options())
    let other = try temporary.iri(scheme: "postgres")
    let running = try program.start(["--on", server.iri(), "--on", other, channel, "--count", "4"])
    try waitForReady(running, times: 2)
    try db.notify(channel, payload: "here 1")
    try temporary.notify(channel, "there 1")
    try running.waitForOutput("there 1")
    try temporary.cluster.stop(.immediate)
    // The one that is lost holds up nobody.
    try db.notify(channel, payload: "here 2")
    try running.waitForOutput("here 2")
    try temporary.startAgain()
    try waitForReady(running, times: 3)
    try temporary.notify(channel, "there 2")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let events = try EventLines.objects(outcome.output)
    let there = events.filter {
      ($0["source"] as? String)?.contains(temporary.encodedDirectory) == true
    }
    #expect(
      there.compactMap { $0["event"] as? String } == ["ready", "notify", "gap", "ready", "notify"])
    #expect(there.compactMap { $0["seq"] as? Int } == [1, 2])
    let here = events.filter {
      ($0["source"] as? String)?.contains(temporary.encodedDirectory) == false
    }
    #expect(here.compactMap { $0["payload"] as? String } == ["here 1", "here 2"])
    #expect(here.compactMap { $0["seq"] as? Int } == [1, 2])
    try temporary.close()
  }

  // MARK: Failover

  @Test("after a failover it goes on with the promoted standby")
  func failover() throws {
    let pair = try ReplicatedPair()
    let running = try start(pair.iri, "--count", "2")
    try pair.primary.notify(channel, "before")
    try running.waitForOutput("before")
    try pair.primary.cluster.stop(.immediate)
    try running.waitForErrors("attempt 1 failed")
    try pair.promote()
    try waitForReady(running, times: 2)
    let db = try PGKit.open(pair.standbyIRI)
    try db.notify(channel, payload: "after")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(
      try EventLines.story(outcome.output) == ["[ready]", "before", "[gap]", "[ready]", "after"])
    let places = try EventLines.objects(outcome.output).compactMap { $0["source"] as? String }
    #expect(Set(places).count == 2)
    db.close()
    try pair.close()
  }

  // MARK: Poolers

  @Test(
    "a pooler is detected and explained",
    .enabled(if: Pooler.isInstalled, "pgbouncer is not installed"),
    arguments: ["session", "transaction"])
  func pooler(mode: String) throws {
    let pooler = try Pooler(in: mode, before: server)
    defer { pooler.stop() }
    let outcome = try program.run([pooler.iri, channel, "--timeout", "20s"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("connection pooler"))
    #expect(outcome.errors.contains("HINT: Connect to the server itself"))
    #expect(outcome.output == "")
  }
}

extension TemporaryCluster {
  fileprivate var encodedDirectory: String { directory.replacing("/", with: "%2F") }

  fileprivate func notify(_ channel: String, _ payload: String) throws {
    var options = try connectionOptions()
    options.user = Self.superuser
    let db = try PGKit.connect(options)
    defer { db.close() }
    try db.notify(channel, payload: payload)
  }

  /// Starts the server that was stopped, where it was.
  fileprivate func startAgain() throws {
    var start = Cluster.StartOptions()
    start.socketDirectory = directory
    start.settings = Self.testSettings
    try cluster.start(start)
  }

  fileprivate func waitUntilGone() throws {
    for _ in 0..<500 {
      if case .running = try cluster.status() { usleep(20_000) } else { return }
    }
  }
}
