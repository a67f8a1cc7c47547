import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

@Suite("pg-listen", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenTests {
  private let program = BuiltProgram("pg-listen")
  private let shell = BuiltProgram("/bin/sh")
  private let server: TestServer
  private let db: Connection
  /// A channel of this test's own.
  private let channel = "ch\(UInt64.random(in: 0...(.max)))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  private func listen(
    _ arguments: String..., output: BuiltProgram.Output = .captured
  ) throws -> BuiltProgram.Outcome {
    try program.run([server.iri()] + arguments, output: output)
  }

  /// Starts it and waits until it listens.
  private func started(
    _ arguments: String..., output: BuiltProgram.Output = .captured
  ) throws -> RunningProgram {
    let running = try program.start([server.iri()] + arguments, output: output)
    try running.waitForErrors("listening on ")
    return running
  }

  private func notify(_ channel: String, _ payload: String = "") throws {
    try db.query("SELECT pg_notify($1, $2)", channel, payload)
  }

  private struct Event: Decodable {
    let event: String
    let seq: Int
    let channel: String
    let payload: String?
    let payload_b64: String?
    let pid: Int32
    let at: String
  }

  private func notifyLines(_ outcome: BuiltProgram.Outcome) -> [Substring] {
    outcome.lines.filter { $0.hasPrefix("{\"event\":\"notify\"") }
  }

  private func events(_ outcome: BuiltProgram.Outcome) throws -> [Event] {
    try notifyLines(outcome).map { try JSONDecoder().decode(Event.self, from: Data($0.utf8)) }
  }

  // MARK: What comes out

  @Test("prints one object a line as documented, in order, until --count")
  func lines() throws {
    let running = try started(channel, "other_\(channel)", "--count", "3")
    let start = Date()
    try notify(channel, "{\"id\":1}")
    try running.waitForOutput("notify")
    try notify("other_\(channel)")
    try notify("third_\(channel)")
    try notify(channel, "a")
    try notify(channel, "after the last")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let first = try #require(notifyLines(outcome).first)
    let time = try #require(first.firstMatch(of: /"at":"(.*)"/)).output.1
    #expect(
      first == """
        {"event":"notify","seq":1,"channel":"\(channel)","payload":"{\\"id\\":1}",\
        "pid":\(db.backendID),"at":"\(time)"}
        """)
    #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)
    let parsed = try Date(
      String(time), strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
    #expect(abs(parsed.timeIntervalSince(start)) < 20)
    let events = try events(outcome)
    #expect(events.map(\.payload) == ["{\"id\":1}", "", "a"])
    #expect(events.map(\.seq) == [1, 2, 3])
    #expect(events.map(\.channel) == [channel, "other_\(channel)", channel])
  }

  @Test("every payload is valid JSON on one line")
  func payloads() throws {
    let payloads = [
      String(String.UnicodeScalarView((1..<0x21).compactMap(Unicode.Scalar.init))),
      "\u{2028}\u{2029}\u{85}\u{7f}", "😀é\u{feff}", "\"\\/", "null", "{\"a\":1}", " ",
      String(repeating: "é", count: 3999) + "x", String(repeating: "\u{1}", count: 7999),
    ]
    let running = try started(channel, "--count", "\(payloads.count)")
    for payload in payloads { try notify(channel, payload) }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(outcome.output.unicodeScalars.filter { $0.value < 0x20 }.count == payloads.count + 1)
    #expect(try events(outcome).map(\.payload) == payloads)
  }

  @Test(
    "takes channels exactly as they are",
    arguments: ["we\"ird Ch", "Upper", "a;b", "sélect", "it's", "-dash", "a=b", "pq://x"])
  func oddChannels(name: String) throws {
    let running = try program.start([server.iri(), "--count", "1", "--", name + channel])
    try running.waitForErrors("listening on ")
    try notify(name + channel, "p")
    #expect(try events(running.wait()).map(\.channel) == [name + channel])
  }

  @Test("prints a payload that is not UTF-8 in Base64")
  func notUTF8() throws {
    let name = "bytes_\(channel)"
    try db.execute(
      "CREATE DATABASE \(name) TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    let running = try program.start([server.iri(database: name), channel, "--count", "1"])
    try running.waitForErrors("listening on ")
    let other = try PGKit.open(server.iri(database: name))
    try other.execute("SELECT pg_notify('\(channel)', 'a' || chr(255))")
    let outcome = try running.wait()
    #expect(outcome.output.contains("\"payload\":null,\"payload_b64\":\"Yf8=\","))
    #expect(try events(outcome).count == 1)
  }

  @Test("prints UTF-8 whatever encoding the environment asks for")
  func encoding() throws {
    let environment = ["PGCLIENTENCODING": "LATIN1", "LC_ALL": "xx_INVALID"]
    let running = try program.start(
      [server.iri(), channel, "--count", "1"], environment: environment)
    try running.waitForErrors("listening on ")
    try notify(channel, "é")
    #expect(try events(running.wait()).map(\.payload) == ["é"])
  }

  @Test("loses none of 20,000 and keeps their order, even if its reader is slow")
  func many() throws {
    let running = try started(channel, "--count", "20000", output: .slowPipe)
    for start in stride(from: 0, to: 20_000, by: 1000) {
      try db.query(
        "SELECT pg_notify($1, i::text) FROM generate_series($2::int, $2::int + 999) AS i",
        channel, start)
    }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let events = try events(outcome)
    #expect(events.map(\.payload) == (0..<20_000).map { "\($0)" })
    #expect(events.map(\.seq) == Array(1...20_000))
  }

  // MARK: What it says

  @Test("says on stderr where it listens, without the password, unless it is quiet")
  func startupLine() throws {
    let iri = server.tcpIRI(user: "scram", password: "secret")
    let running = try program.start([iri, "jobs", "Mail"])
    try running.waitForErrors("unquoted")
    running.signal(SIGTERM)
    #expect(
      try running.wait().errors == """
        pg-listen: listening on jobs, "Mail" (pq://127.0.0.1:\(server.port)/postgres)
        pg-listen: an unquoted NOTIFY Mail sends to mail, not to Mail

        """)
    let quiet = try program.start([iri, "Mail", "--quiet", "--ready-fd", "2"])
    try quiet.waitForErrors("\n")
    quiet.signal(SIGTERM)
    #expect(try quiet.wait().errors == "\n")
  }

  @Test("hints at no name that could not be written without quotes", arguments: ["A b", "É"])
  func noHint(name: String) throws {
    let running = try started(name)
    running.signal(SIGTERM)
    #expect(try running.wait().errors.split(separator: "\n").count == 1)
  }

  @Test("names a socket by an IRI that can be pasted back")
  func socketIRI() throws {
    let running = try started(channel)
    running.signal(SIGTERM)
    let errors = try running.wait().errors
    let match = try #require(errors.firstMatch(of: /listening on .* \((pq:.*)\)\n/))
    let again = try ConnectionIRI.parse(String(match.output.1))
    #expect(again.hosts == [server.cluster.directory])
    #expect(again.ports == [server.port])
    #expect(again.database == "postgres")
  }

  @Test("writes a newline to --ready-fd once it listens")
  func readyDescriptor() throws {
    let running = try shell.start([
      "-c", "exec \"$0\" \"$1\" \"$2\" --count 1 --ready-fd 3 3>&2 2>/dev/null", program.path,
      server.iri(), channel,
    ])
    try running.waitForErrors("\n")
    try notify(channel, "p")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(outcome.errors == "\n")
    #expect(try events(outcome).map(\.payload) == ["p"])
  }

  // MARK: The session

  @Test("is never in a transaction, says who it is, and is not ended for being idle")
  func session() throws {
    let iri = server.iri(options: ["options=-c idle_session_timeout%3D200"])
    let running = try program.start([iri, channel, "--count", "1"])
    try running.waitForErrors("listening on ")
    usleep(600_000)
    let found = try db.query(
      """
      SELECT application_name, state, xact_start IS NULL FROM pg_stat_activity
        WHERE query LIKE $1 AND pid <> pg_backend_pid()
      """, "LISTEN%\(channel)%")
    #expect(found.count == 1)
    #expect(try found[0][0, as: String.self] == "pg-listen:\(channel)")
    #expect(try found[0][1, as: String.self] == "idle")
    #expect(try found[0][2, as: Bool.self])
    try notify(channel)
    #expect(try running.wait().end == .exit(0))
  }

  // MARK: How it ends

  @Test("ends with 4 when time is over, after it has printed what arrived")
  func timeout() throws {
    let running = try started(channel, "--count", "5", "--timeout", "4s")
    try notify(channel, "a")
    try notify(channel, "b")
    let outcome = try running.wait()
    #expect(outcome.end == .exit(4))
    #expect(try events(outcome).map(\.payload) == ["a", "b"])
    #expect(outcome.errors.contains("--timeout is over after 2 of 5 events\n"))
  }

  @Test("prints what arrived while it could not run before it judges the time")
  func lateTimeout() throws {
    let running = try started(channel, "--count", "3000", "--timeout", "2s")
    running.signal(SIGSTOP)
    try db.query("SELECT pg_notify($1, i::text) FROM generate_series(1, 3000) AS i", channel)
    usleep(2_200_000)
    running.signal(SIGCONT)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(notifyLines(outcome).count == 3000)
  }

  @Test("a flood of events does not keep --timeout from ending it")
  func flood() throws {
    let running = try started(channel, "--timeout", "1s")
    let start = ContinuousClock.now
    while running.isRunning, ContinuousClock.now - start < .seconds(20) {
      try db.query("SELECT pg_notify($1, i::text) FROM generate_series(1, 500) AS i", channel)
    }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(4))
    #expect(outcome.output.hasSuffix("}\n"))
  }

  @Test("--timeout also ends waiting for a server that never answers")
  func silentServer() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = bind(listener, $0, length)
        _ = Glibc.listen(listener, 5)
        getsockname(listener, $0, &length)
      }
    }
    let port = UInt16(bigEndian: address.sin_port)
    let start = ContinuousClock.now
    let outcome = try program.run(
      ["postgres://u@127.0.0.1:\(port)/d", channel, "--timeout", "300ms"])
    #expect(outcome.end == .exit(4))
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test("ends soon after its reader has gone, though nothing more comes")
  func readerGone() throws {
    let running = try shell.start([
      "-c", "{ \"$0\" \"$1\" \"$2\"; echo status $? >&2; } | head -n 2", program.path,
      server.iri(), channel,
    ])
    try running.waitForErrors("listening on ")
    try notify(channel, "only")
    try running.waitForOutput("only")
    let start = ContinuousClock.now
    let outcome = try running.wait()
    #expect(ContinuousClock.now - start < .seconds(15))
    #expect(outcome.errors.hasSuffix("status \(128 + SIGPIPE)\n"))
    #expect(outcome.lines.count == 2)
  }

  @Test("ends at once when there never was a reader")
  func brokenPipe() throws {
    #expect(try listen(channel, output: .brokenPipe).end == .signal(SIGPIPE))
  }

  @Test("dies by the signal at once while idle", arguments: [SIGINT, SIGTERM, SIGHUP])
  func signals(signal: Int32) throws {
    let running = try started(channel)
    let start = ContinuousClock.now
    running.signal(signal)
    let outcome = try running.wait()
    // Less than the time that a program has for cleaning up.
    #expect(ContinuousClock.now - start < .seconds(4))
    #expect(outcome.end == .signal(signal))
    #expect(try events(outcome).isEmpty)
  }

  @Test("uses no processor time while it waits")
  func idles() throws {
    let running = try started(channel)
    func ticks() throws -> Int {
      let text = try String(contentsOfFile: "/proc/\(running.process)/stat", encoding: .utf8)
      let fields = text.split(separator: " ")
      return (Int(fields[13]) ?? 0) + (Int(fields[14]) ?? 0)
    }
    usleep(100_000)
    let before = try ticks()
    usleep(500_000)
    #expect(try ticks() <= before + 1)
    running.signal(SIGTERM)
    _ = try running.wait()
  }

  @Test("with --max-downtime 0 it ends with 2 and the reason, after it has printed what came")
  func terminated() throws {
    let running = try started(channel, "--max-downtime", "0")
    // Both are there when it looks again.
    running.signal(SIGSTOP)
    try notify(channel, "last words")
    usleep(200_000)
    try db.query(
      """
      SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE query LIKE $1 AND pid <> pg_backend_pid()
      """, "LISTEN%\(channel)%")
    running.signal(SIGCONT)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(2))
    #expect(try events(outcome).map(\.payload) == ["last words"])
    #expect(outcome.errors.contains("FATAL 57P01 admin_shutdown: "))
  }

  @Test("ends with 2 when it cannot connect, and prints nothing")
  func refusedLogin() throws {
    let outcome = try program.run([server.tcpIRI(user: "scram", password: "not it"), channel])
    #expect(outcome.end == .exit(2))
    #expect(outcome.output == "")
    #expect(outcome.errors.contains("28P01"))
    #expect(!outcome.errors.contains("not it"))
  }

  @Test("ends with 3 on a standby, which cannot listen")
  func standby() throws {
    var options = TemporaryCluster.Options()
    options.settings = [.init("wal_level", "replica"), .init("hot_standby", "on")]
    let temporary = try TemporaryCluster(installation: nil, options)
    let (cluster, iri) = (temporary.cluster, try temporary.iri(scheme: "postgres"))
    try cluster.stop()
    try Data().write(to: URL(filePath: cluster.dataDirectory.path + "/standby.signal"))
    var start = Cluster.StartOptions()
    start.socketDirectory = temporary.directory
    start.settings = TemporaryCluster.testSettings + options.settings
    try cluster.start(start)
    let outcome = try program.run([iri, channel, "--timeout", "5s"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("25006"))
    #expect(outcome.errors.contains("HINT: A standby cannot listen"))
    // That it was tried for a while changes nothing of the reason.
    let waited = try program.run([iri, channel, "--wait", "3s"])
    #expect(waited.end == .exit(3))
    #expect(waited.errors.contains("attempt 1 failed"))
    let last = waited.errors.split(separator: "\n").last { $0.contains("ERROR") } ?? ""
    #expect(last.contains("25006"))
    #expect(waited.errors.contains("HINT: A standby cannot listen"))
    let sending = try program.run([iri, "--notify", channel])
    #expect(sending.end == .exit(3))
    #expect(sending.errors.contains("HINT: A standby cannot notify"))
    try temporary.close()
  }

  @Test("ends with 1 when stdout is full or closed")
  func fullOutput() throws {
    for output in [BuiltProgram.Output.full, .closed] {
      let outcome = try listen(channel, output: output)
      #expect(outcome.end == .exit(1))
      #expect(outcome.errors.contains("pg-listen: stdout: "))
    }
  }

  private static let longName = String(repeating: "é", count: 32)

  @Test(
    "ends with 64 for a wrong command line, and says what is wrong",
    arguments: [
      ([], "no channel is given"), ([""], "a channel has no name"),
      (["--count", "0", "c"], "--count must be at least 1"),
      (["--count", "-1", "c"], "--count must be at least 1"),
      (["--count", "x", "c"], "'x' is invalid for '--count"),
      (["--timeout", "soon", "c"], "'soon' is invalid for '--timeout"),
      (["--timeout", "-1", "c"], "'-1' is invalid for '--timeout"),
      (["--timeout", "0", "c"], "--timeout must be longer than 0"),
      (["--idle-timeout", "0", "c"], "--idle-timeout must be longer than 0"),
      (["--idle-timeout", "-1s", "c"], "'-1s' is invalid for '--idle-timeout"),
      (["--heartbeat-timeout", "0", "c"], "--heartbeat-timeout must be longer than 0"),
      (["--buffer", "0", "c"], "'0' is invalid for '--buffer"),
      (["--until", ".payload", "c"], "'.payload' is invalid for '--until"),
      (["--until", ".pid==\"1\"", "c"], "is invalid for '--until"),
      (["--until", ".payload==\"a", "c"], "is invalid for '--until"),
      (["--format", "xml", "c"], "'xml' is invalid for '--format"),
      (["--notify", "", "p"], "--notify: a channel has no name"),
      (["--notify", "c", "p", "q"], "--notify takes one payload"),
      (["--notify", "c", "p", "--count", "1"], "--count does not go with it"),
      (["--notify", longName], "has 64 bytes; a name has at most 63"),
      ([longName], "has 64 bytes; a name has at most 63"),
      (["--ready-fd", "1", "c"], "--ready-fd must be a descriptor above 1"),
      (["--ready-fd", "-1", "c"], "--ready-fd must be a descriptor above 1"),
      (["--ready-fd", "77", "c"], "--ready-fd 77: no such descriptor"),
      (["--max-parallel", "2", "c"], "--max-parallel goes with --exec"),
      (["--on-fail", "stop", "c"], "--on-fail goes with --exec"),
      (["--max-parallel", "0", "c", "--exec", "--", "x"], "--max-parallel must be between 1 and"),
      (["c", "--exec"], "--exec: no command stands after --"),
      (["--nonsense", "c"], "--nonsense"),
    ])
  func usage(arguments: [String], message: String) throws {
    let outcome = try program.run([server.iri()] + arguments)
    #expect(outcome.end == .exit(64))
    #expect(outcome.output == "")
    #expect(outcome.errors.hasPrefix("pg-listen: "))
    #expect(outcome.errors.contains(message), "\(outcome.errors)")
  }
}
