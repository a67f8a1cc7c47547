import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// `pg-listen --durable`: the rows of a table, each at least once.
@Suite(
  "pg-listen, rows of a table",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgListenDurableTests {
  private typealias Scene = DurableScene

  // MARK: The table

  @Test("what install prints makes the table on every server, whatever its name is")
  func installs() throws {
    for installation in TestServer.installations {
      let scene = try Scene(installation: installation)
      defer { scene.close() }
      try scene.db.execute("CREATE SCHEMA \"Odd \"\"one\"")
      let name = "\"Odd \"\"one\".\"it's a 'Table'\""
      let printed = try scene.program.run(["durable", "install", name])
      #expect(printed.end == .exit(0))
      try scene.db.execute(printed.output)
      try scene.db.execute("INSERT INTO \(name) (channel, payload) VALUES ('a', 'b')")
      let outcome = try scene.program.run([
        scene.iri, "--durable", name, "--consumer", "it's \"me\"", "--count", "1",
      ])
      #expect(outcome.end == .exit(0), "\(installation.version): \(outcome.errors)")
      let row = try #require(try Scene.rows(outcome.output).first)
      #expect([row.channel, row.payload] == ["a", "b"])
      let status = try scene.program.run(["durable", "status", scene.iri, name])
      #expect(status.output.contains("\"waiting\":0"), "\(status)")
    }
  }

  @Test("install runs nothing, and refuses what is no name of a table")
  func installArguments() throws {
    let program = BuiltProgram("pg-listen")
    let long = String(repeating: "x", count: 60)
    for name in ["a.b.c", "", "a b", long] {
      let outcome = try program.run(["durable", "install", name])
      #expect(outcome.end == .exit(64), "\(name)")
      #expect(outcome.errors.contains("The value '\(name)' is invalid for '<table>'"))
    }
    // A word that follows another than install and status is a channel.
    let other = try program.run(["durable", "other"], environment: ["PGHOST": "/nowhere"])
    #expect(other.end == .exit(2))
  }

  @Test("a table that is missing ends it with 3, and the hint says how to make it")
  func missing() throws {
    let scene = try Scene()
    defer { scene.close() }
    let outcome = try scene.program.run([scene.iri, "--durable", "nosuch", "--consumer", "c"])
    #expect(outcome.end == .exit(3))
    #expect(outcome.errors.contains("42P01"))
    #expect(outcome.errors.contains("pg-listen durable install 'nosuch'"))
    let status = try scene.program.run(["durable", "status", scene.iri, "nosuch"])
    #expect(status.end == .exit(3))
    #expect(status.errors.contains("42P01"))
    #expect(status.errors.contains("pg-listen durable install 'nosuch'"))
    // That of the consumers goes with it.
    try scene.db.execute("DROP TABLE outbox_consumers")
    #expect(try scene.run("c").errors.contains("outbox_consumers"))
    let half = try scene.program.run(["durable", "status", scene.iri, "outbox"])
    #expect(half.errors.contains("there is no table outbox_consumers"))
  }

  @Test("wants a consumer, and refuses what a row does not have")
  func usage() throws {
    let program = BuiltProgram("pg-listen")
    let mine = ["--durable", "t", "--consumer", "c"]
    for (arguments, message) in [
      (["--durable", "t"], "--durable needs a consumer"),
      (["--durable", "t", "--consumer", ""], "--durable needs a consumer"),
      (["ch", "--consumer", "c"], "--consumer goes with --durable"),
      (mine + ["--debounce", "1s"], "no --debounce, no --coalesce"),
      (mine + ["--from-pid", "1"], "a row has no process"),
      (mine + ["--on-overflow", "drop"], "--on-overflow drop: --durable loses no row"),
      (mine + ["--on-overflow", "fail"], "--on-overflow fail: --durable loses no row"),
    ] {
      let outcome = try program.run(["pq://localhost/x"] + arguments)
      #expect(outcome.end == .exit(64), "\(arguments)")
      #expect(outcome.errors.contains(message), "\(arguments): \(outcome.errors)")
    }
  }

  // MARK: Order and completeness

  @Test("rows come in order, before it began and while it runs, and once acknowledged no more")
  func order() throws {
    let scene = try Scene()
    defer { scene.close() }
    try scene.add((1...1200).map { "early \($0)" })
    let running = try scene.start("c", "--count", "1500")
    for number in 1...300 { try scene.add(["late \(number)"]) }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let rows = try Scene.rows(outcome.output)
    #expect(
      rows.map(\.payload) == (1...1200).map { "early \($0)" } + (1...300).map { "late \($0)" })
    #expect(rows.map(\.seq) == Array(1...1500))
    #expect(rows.map(\.id) == rows.map(\.id).sorted())
    let again = try scene.run("c", "--drain")
    #expect(again.end == .exit(0))
    #expect(try Scene.rows(again.output).isEmpty)
    // Another consumer has all of them for itself.
    #expect(try Scene.rows(try scene.run("d", "--drain").output).count == 1500)
  }

  @Test("--count acknowledges as many rows as it has printed, and no more")
  func count() throws {
    let scene = try Scene()
    defer { scene.close() }
    try scene.add(["1", "2", "3", "4", "5"])
    #expect(try Scene.rows(try scene.run("c", "--count", "2").output).map(\.payload) == ["1", "2"])
    #expect(try scene.status("c").waiting == 3)
    #expect(
      try Scene.rows(try scene.run("c", "--drain").output).map(\.payload) == ["3", "4", "5"])
  }

  @Test("a transaction that commits late is not skipped: younger ones wait for it")
  func lateCommit() throws {
    let scene = try Scene()
    defer { scene.close() }
    let running = try scene.start("c", "--count", "3")
    let older = try scene.connect()
    defer { older.close() }
    try older.execute("BEGIN; INSERT INTO outbox (payload) VALUES ('older 1')")
    try scene.add(["younger"])
    usleep(500_000)
    #expect(try Scene.rows(running.output).isEmpty)
    let status = try scene.status("c")
    #expect(status.held_back == 1 && status.waiting == 0)
    try older.execute("INSERT INTO outbox (payload) VALUES ('older 2'); COMMIT")
    let outcome = try running.wait()
    #expect(
      try Scene.rows(outcome.output).map(\.payload) == ["older 1", "older 2", "younger"])
    // One that has written elsewhere holds rows back, too, until it is rolled back.
    try older.execute("CREATE TABLE other (a int); BEGIN; INSERT INTO other VALUES (1)")
    try scene.add(["held"])
    #expect(try Scene.rows(try scene.run("c", "--drain").output).isEmpty)
    try older.execute("ROLLBACK")
    #expect(try Scene.rows(try scene.run("c", "--drain").output).map(\.payload) == ["held"])
  }

  @Test("a prepared transaction that commits late is not skipped: younger ones wait for it")
  func prepared() throws {
    let scene = try Scene(settings: [.init("max_prepared_transactions", "4")])
    defer { scene.close() }
    // A transaction that has notified cannot be prepared, so rows must come without being woken.
    try scene.db.execute("BEGIN; INSERT INTO outbox (payload) VALUES ('notified')")
    let error = #expect(throws: PGError.self) {
      try scene.db.execute("PREPARE TRANSACTION 'refused'")
    }
    #expect(error?.code == .featureNotSupported)
    try scene.db.execute("ALTER TABLE outbox DISABLE TRIGGER wake")
    for (name, end) in [("kept", "COMMIT"), ("never", "ROLLBACK")] {
      try scene.db.execute(
        """
        BEGIN; INSERT INTO outbox (payload) VALUES ('\(name)'); PREPARE TRANSACTION '\(name)'
        """)
      try scene.add(["younger than \(name)"])
      let running = try scene.start("c", "--count", end == "COMMIT" ? "2" : "1")
      usleep(500_000)
      #expect(try Scene.rows(running.output).isEmpty)
      let status = try scene.status("c")
      #expect(status.held_back == 1 && status.waiting == 0)
      try scene.db.execute("\(end) PREPARED '\(name)'")
      let rows = try Scene.rows(try running.wait().output).map(\.payload)
      #expect(rows == (end == "COMMIT" ? [name] : []) + ["younger than \(name)"])
    }
    #expect(try scene.status("c").waiting == 0)
  }

  @Test("rows that are rolled back never come, those of savepoints with their transaction")
  func rollback() throws {
    let scene = try Scene()
    defer { scene.close() }
    let running = try scene.start("c", "--count", "2")
    try scene.db.execute("BEGIN; INSERT INTO outbox (payload) VALUES ('never'); ROLLBACK")
    try scene.db.execute(
      """
      BEGIN; SAVEPOINT a; INSERT INTO outbox (payload) VALUES ('never'); ROLLBACK TO a;
      INSERT INTO outbox (payload) VALUES ('1'); SAVEPOINT b;
      INSERT INTO outbox (payload) VALUES ('2'); COMMIT
      """)
    #expect(try Scene.rows(try running.wait().output).map(\.payload) == ["1", "2"])
  }

  @Test("channels choose rows, and the others are acknowledged with them")
  func channels() throws {
    let scene = try Scene()
    defer { scene.close() }
    let odd = "a,\"b\\ {c}'"
    try scene.add(["1"], channel: "mail")
    try scene.add(["2"], channel: odd)
    try scene.add(["3"], channel: "Mail")
    try scene.add(["4"], channel: "null")
    let outcome = try scene.run("c", "--drain", "--", odd, "null")
    #expect(try Scene.rows(outcome.output).map(\.payload) == ["2", "4"])
    #expect(try scene.status("c").waiting == 0)
    #expect(try Scene.rows(try scene.run("c", "--drain").output).isEmpty)
  }

  @Test("payloads of any size", arguments: [[], ["--parse"]])
  func largePayloads(options: [String]) throws {
    let scene = try Scene()
    defer { scene.close() }
    let texts = (0..<12).map { "\"\(String(repeating: "é\($0)", count: 350_000))\"" }
    for text in texts { try scene.add([text, ""]) }
    let running = try scene.program.start(
      scene.arguments("c", ["--count", "24"] + options), output: .slowPipe)
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let rows = try Scene.rows(outcome.output)
    #expect(rows.map(\.payload) == texts.flatMap { [$0, ""] })
    #expect(try scene.status("c").waiting == 0)
  }

  // MARK: Acknowledgement

  @Test("rows are acknowledged when stdout has taken them, and not before")
  func slowReader() throws {
    let scene = try Scene()
    defer { scene.close() }
    try scene.add((1...20).map { "\($0)" + String(repeating: "x", count: 100_000) })
    let shell = BuiltProgram("/bin/sh")
    let names = (1...scene.arguments("c", []).count + 2).map { "\"${\($0)}\"" }
    let running = try shell.start(
      ["-c", "\"$0\" \(names.joined(separator: " ")) | (sleep 3; cat)", scene.program.path]
        + scene.arguments("c", ["--count", "20"]))
    try running.waitForErrors("listening on ")
    usleep(1_000_000)
    #expect(try scene.status("c").waiting == 20)
    let outcome = try running.wait()
    #expect(try Scene.rows(outcome.output).count == 20)
    try scene.waitUntilAcknowledged("c")
  }

  @Test("no row is dropped for a slow reader, however little may wait", arguments: [[], ["block"]])
  func slowReaderOfMuch(policy: [String]) throws {
    let scene = try Scene()
    defer { scene.close() }
    let texts = (1...400).map { "\($0)" + String(repeating: "x", count: 10_000) }
    try scene.add(texts)
    let arguments = scene.arguments(
      "c", ["--buffer", "64kB", "--drain"] + policy.flatMap { ["--on-overflow", $0] })
    let names = (1...arguments.count).map { "\"${\($0)}\"" }.joined(separator: " ")
    let outcome = try BuiltProgram("/bin/sh").run(
      [
        "-c", "{ \"$0\" \(names); echo \"status $?.\" >&2; } | (sleep 2; cat)", scene.program.path,
      ] + arguments)
    #expect(outcome.errors.contains("status 0."))
    #expect(!outcome.output.contains("\"dropped\""))
    #expect(try Scene.rows(outcome.output).map(\.payload) == texts)
    #expect(try scene.status("c").waiting == 0)
  }

  @Test("a signal ends it soon when nobody reads what is printed")
  func signalUnread() throws {
    let scene = try Scene()
    defer { scene.close() }
    try scene.add((1...40).map { "\($0)" + String(repeating: "x", count: 10_000) })
    let arguments = scene.arguments("c", ["--on-overflow", "block"])
    let names = (1...arguments.count).map { "\"${\($0)}\"" }.joined(separator: " ")
    let running = try BuiltProgram("/bin/sh").start(
      [
        "-c",
        "{ timeout -s TERM 2 \"$0\" \(names); date +'ended %s.' >&2; } | (date +'began %s.' >&2; sleep 12)",
        scene.program.path,
      ] + arguments)
    let errors = try running.wait(timeout: .seconds(40)).errors
    let times = try [/began (\d+)\./, /ended (\d+)\./].map {
      try #require(Int(errors.firstMatch(of: $0)?.output.1 ?? ""))
    }
    #expect(times[1] - times[0] < 10)
    #expect(try scene.status("c").waiting == 40)
  }

  @Test("a row that cannot be printed is not acknowledged, and comes again")
  func refusedRow() throws {
    let scene = try Scene()
    defer { scene.close() }
    try scene.add(["one", "two\nlines", "three"])
    let refused = try scene.run("c", "--drain", "--format", "payload")
    #expect(refused.end == .exit(1))
    #expect(refused.output == "one\n")
    #expect(refused.errors.contains("has a newline"))
    let rest = try scene.run("c", "--drain", "--format", "nul")
    #expect(rest.end == .exit(0))
    #expect(rest.output == "two\nlines\0three\0")
    #expect(try scene.status("c").waiting == 0)
  }

  @Test("a row that is not UTF-8, as a SQL_ASCII database may have, comes as its bytes")
  func otherBytes() throws {
    let scene = try Scene(encoding: "SQL_ASCII")
    defer { scene.close() }
    try scene.db.execute(
      """
      INSERT INTO outbox (channel, payload) VALUES ('c', E'\\xff'), ('c', 'ok'), (E'\\xfe', 'é'), ('c', '')
      """)
    let outcome = try scene.run("c", "--drain", "--events", "off")
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let rows = try EventLines.objects(outcome.output)
    #expect(rows.map { $0["payload"] as? String } == [nil, "ok", "é", ""])
    #expect(rows.map { $0["payload_b64"] as? String } == ["/w==", nil, nil, nil])
    #expect(rows.map { $0["channel"] as? String } == ["c", "c", "\u{fffd}", "c"])
    #expect(try scene.status("c").waiting == 0)
    let commands = try scene.run(
      "d", "--drain", "--events", "off", "--exec", "--", "/usr/bin/od", "-An", "-tx1")
    #expect(
      commands.output.split(separator: "\n").map { $0.filter { $0 != " " } } == [
        "ff", "6f6b", "c3a9",
      ])
  }

  @Test("a gap line says that no row is missed, and stands before the rows after it")
  func gap() throws {
    let scene = try Scene()
    defer { scene.close() }
    let running = try scene.start("c", "--count", "2")
    try scene.add(["before"])
    try running.waitForOutput("before")
    try scene.waitUntilAcknowledged("c")
    try scene.terminateReader(of: "c")
    try scene.add(["after"])
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(
      try EventLines.story(outcome.output) == ["[ready]", "before", "[gap]", "[ready]", "after"])
    let gap = try #require(
      try EventLines.objects(outcome.output).first { $0["event"] as? String == "gap" })
    #expect(gap["complete"] as? Bool == true)
    #expect(gap["reason"] as? String == "57P01 admin_shutdown")
    #expect(gap["last_seq"] as? Int == 1)
  }

  @Test(
    "a table restored from another server is refused until it is renumbered, and then loses no row")
  func restored() throws {
    let scene = try Scene()
    defer { scene.close() }
    try scene.add(["1", "2"])
    #expect(try scene.run("c", "--drain").end == .exit(0))
    #expect(try scene.run("slow", "--count", "1").end == .exit(0))
    #expect(try scene.run("none", "--drain", "other").end == .exit(0))
    // As pg_dump brings them: with the numbers that they had where transactions had come further.
    for sql in [
      "UPDATE outbox SET xid = (xid::text::bigint + 5000000)::text::xid8",
      "UPDATE outbox_consumers SET xid = (xid::text::bigint + 5000000)::text::xid8",
    ] { try scene.db.execute(sql) }
    try scene.add(["3"])
    let refused = try scene.run("c", "--drain")
    #expect(refused.end == .exit(3))
    #expect(refused.errors.contains("55000"))
    #expect(refused.errors.contains("restored from another one"))
    #expect(refused.errors.contains("pg-listen durable install"))
    // Rows alone, too.
    let rows = try scene.run("new", "--drain")
    #expect(rows.end == .exit(3))
    // What is printed with the table mends it.
    let lines = try scene.program.run(["durable", "install", scene.table]).lines
    let start = try #require(lines.firstIndex { $0.contains("restored from another") })
    let begin = try #require(lines[start...].firstIndex { $0 == "--   BEGIN;" })
    let end = try #require(lines[begin...].firstIndex { $0 == "--   COMMIT;" })
    try scene.db.execute(lines[begin...end].map { $0.dropFirst(2) }.joined(separator: "\n"))
    #expect(try Scene.rows(try scene.run("c", "--drain").output).map(\.payload) == ["3"])
    #expect(try Scene.rows(try scene.run("slow", "--drain").output).map(\.payload) == ["2", "3"])
    #expect(
      try Scene.rows(try scene.run("new", "--drain").output).map(\.payload) == ["1", "2", "3"])
    try scene.add(["4"])
    #expect(try Scene.rows(try scene.run("c", "--drain").output).map(\.payload) == ["4"])
  }

  @Test("the memory of a large row is given back")
  func largeRow() throws {
    let scene = try Scene()
    defer { scene.close() }
    let running = try BuiltProgram(absolute: "/bin/sh").start(
      ["-c", "exec \"$0\" \"$@\" > /dev/null", scene.program.path] + scene.arguments("c", []))
    try running.waitForErrors("listening on ")
    try scene.add(["small"])
    try scene.waitUntilAcknowledged("c")
    let before = ProcessMemory.resident(running.process)
    try scene.db.execute("INSERT INTO outbox (payload) SELECT repeat('x', 70000000)")
    try scene.add(["small"])
    try scene.waitUntilAcknowledged("c")
    try scene.add(["small"])
    try scene.waitUntilAcknowledged("c")
    #expect(ProcessMemory.resident(running.process) < before + 16_000)
    running.signal(SIGTERM)
    _ = try running.wait()
  }

  @Test("what a full disk did not take is not acknowledged")
  func fullDisk() throws {
    let scene = try Scene()
    defer { scene.close() }
    try scene.add(["1", "2"])
    let outcome = try scene.run("c", "--drain", "--events", "off", output: .full)
    #expect(outcome.end == .exit(1))
    #expect(try scene.status("c").waiting == 2)
  }

  @Test("a signal ends it when what was printed is acknowledged")
  func signal() throws {
    let scene = try Scene()
    defer { scene.close() }
    let running = try scene.start("c")
    try scene.add(["1"])
    try running.waitForOutput("\"payload\":\"1\"")
    running.signal(SIGTERM)
    #expect(try running.wait().end == .signal(SIGTERM))
    #expect(try Scene.rows(try scene.run("c", "--drain").output).isEmpty)
  }

  @Test("two that read for one consumer: the second is refused, and told which is the first")
  func twoReaders() throws {
    let scene = try Scene()
    defer { scene.close() }
    let first = try scene.start("c")
    let second = try scene.run("c")
    #expect(second.end == .exit(3))
    #expect(second.errors.contains("another session reads outbox for consumer \"c\""))
    let other = try scene.start("d")
    #expect(try scene.status("c").pid != scene.status("d").pid)
    for running in [first, other] {
      running.signal(SIGTERM)
      _ = try running.wait()
    }
    #expect(try scene.status("c").pid == nil)
  }

  @Test("status says how far each consumer is")
  func status() throws {
    let scene = try Scene()
    defer { scene.close() }
    #expect(try scene.statuses().isEmpty)
    try scene.add(["1", "2", "3"])
    #expect(try scene.run("b", "--count", "1").end == .exit(0))
    #expect(try scene.run("a", "--drain").end == .exit(0))
    let statuses = try scene.statuses()
    // Times are as in every line of the program.
    let time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/
    #expect(statuses.allSatisfy { $0.acknowledged_at?.wholeMatch(of: time) != nil })
    #expect(statuses.last?.oldest_waiting?.wholeMatch(of: time) != nil)
    #expect(statuses.map(\.consumer) == ["a", "b"])
    #expect(statuses.map(\.waiting) == [0, 2])
    #expect(statuses.map(\.acknowledged_id) == [3, 1])
    #expect(statuses.map { $0.oldest_waiting == nil } == [true, false])
    #expect(statuses.allSatisfy { $0.acknowledged_at != nil && $0.pid == nil })
    let running = try scene.start("a")
    let process = try #require(try scene.status("a").pid)
    #expect(
      try scene.db.query.first(
        "SELECT application_name FROM pg_stat_activity WHERE pid = $1", process, as: String.self)
        == "pg-listen:outbox")
    running.signal(SIGTERM)
    _ = try running.wait()
  }

  // MARK: Connections that are lost

  @Test(
    "after a failover to a standby that lacks the last transactions, no row of its own is skipped")
  func laggingFailover() throws {
    let program = BuiltProgram("pg-listen")
    let pair = try ReplicatedPair()
    defer { try? pair.close() }
    let db = try PGKit.open(pair.primaryIRI)
    try db.execute(try program.run(["durable", "install", "outbox"]).output)
    let running = try program.start([
      pair.iri, "--durable", "outbox", "--consumer", "c", "--count", "12",
    ])
    try running.waitForErrors("listening on ")
    let add = "INSERT INTO outbox (payload) VALUES ($1)"
    try db.query(add, "before")
    try running.waitForOutput("before")
    let standby = try PGKit.open(pair.standbyIRI)
    // The table itself may not be there yet.
    let query = "SELECT FROM outbox_consumers WHERE id = 1"
    for _ in 0..<400 where (try? standby.query(query).isEmpty) != false { usleep(25_000) }
    try pair.cutOff()
    for number in 1...8 { try db.query(add, "lost \(number)") }
    try running.waitForOutput("lost 8")
    for connection in [db, standby] { connection.close() }
    try pair.primary.cluster.stop(.immediate)
    try pair.promote()
    _ = try running.waitForOutput(timeout: .seconds(60)) {
      $0.split(separator: "\"event\":\"ready\"").count == 3
    }
    let promoted = try PGKit.open(pair.standbyIRI)
    defer { promoted.close() }
    for number in 1...3 { try promoted.query(add, "after \(number)") }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    let lost = (1...8).map { "lost \($0)" }
    #expect(
      try EventLines.story(outcome.output)
        == ["[ready]", "before"] + lost + ["[gap]", "[ready]", "after 1", "after 2", "after 3"])
  }

  @Test("lost connections lose no row, and repeat none that was printed")
  func reconnects() throws {
    let scene = try Scene()
    defer { scene.close() }
    let running = try scene.start("c", "--count", "400")
    for number in 1...400 {
      try scene.add(["\(number)"])
      if number % 80 == 0 { try scene.terminateReader(of: "c") }
    }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0))
    #expect(try Scene.rows(outcome.output).map(\.payload) == (1...400).map { "\($0)" })
    #expect(outcome.errors.contains("57P01"))
    let gaps = outcome.lines.filter { $0.hasPrefix("{\"event\":\"gap\"") }
    #expect(!gaps.isEmpty && gaps.allSatisfy { $0.hasSuffix(",\"complete\":true}") })
    try scene.waitUntilAcknowledged("c")
  }
}
