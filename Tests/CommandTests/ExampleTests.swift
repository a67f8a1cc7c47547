import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What lies in examples/ does what it says, on a real server.
///
/// Of workflows, crontabs and units the commands are run as they stand there, with the programs that were
/// just built in front of the installed ones.
@Suite("Examples", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ExampleTests {
  private static let root = URL(filePath: #filePath).appending(path: "../../../examples")
    .standardized
  private let source: ExampleDatabase
  private let target: ExampleDatabase
  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
    source = try ExampleDatabase()
    target = try ExampleDatabase()
    for database in [source, target] {
      try database.connect().execute(
        """
        CREATE TABLE orders (id int PRIMARY KEY, total numeric);
        CREATE TABLE people (id int PRIMARY KEY, name text)
        """)
    }
    try source.connect().execute("INSERT INTO orders SELECT n, n * 10 FROM generate_series(1, 3) n")
  }

  private var environment: [String: String] {
    var environment = BuiltProgram.ownEnvironment
    let programs = URL(filePath: BuiltProgram("pg-open").path).deletingLastPathComponent().path
    environment["PATH"] = "\(programs):\(environment["PATH"] ?? "/usr/bin:/bin")"
    environment["DATABASE"] = source.iri
    environment["SOURCE"] = source.iri
    environment["TARGET"] = target.iri
    return environment
  }

  /// Runs a command of the shell in the test's folder.
  private func shell(
    _ command: String, with variables: [String: String] = [:]
  ) throws -> BuiltProgram.Outcome {
    try BuiltProgram(absolute: "/bin/sh").run(
      ["-c", "cd \"$0\" && \(command)", folder.path],
      environment: environment.merging(variables) { $1 })
  }

  private func recipe(
    _ name: String, _ arguments: String, with variables: [String: String] = [:]
  ) throws -> BuiltProgram.Outcome {
    try shell("'\(Self.root.path)/recipes/\(name)' \(arguments)", with: variables)
  }

  private func lines(of name: String) throws -> [String] {
    try String(contentsOf: Self.root.appending(path: name), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  private func orders(_ database: ExampleDatabase) throws -> Int {
    try database.connect().query.first("SELECT count(*) FROM orders", as: Int.self) ?? -1
  }

  // MARK: Recipes

  @Test("a report is whole, and stays as it was where it fails")
  func report() throws {
    let made = try recipe("report.sh", "", with: ["REPORT": "orders.csv"])
    #expect(made.end == .exit(0), "\(made.errors)")
    let text = try String(contentsOfFile: folder.path + "/orders.csv", encoding: .utf8)
    #expect(text == "id,total\n1,10\n2,20\n3,30\n")
    try source.connect().execute("DROP TABLE orders")
    #expect(try recipe("report.sh", "", with: ["REPORT": "orders.csv"]).end == .exit(3))
    #expect(try String(contentsOfFile: folder.path + "/orders.csv", encoding: .utf8) == text)
  }

  @Test("refused rows go into a file of their own")
  func load() throws {
    try folder.write("id,name\n1,Ada\nx,Bob\n2,Eve\n", to: "people.csv")
    let outcome = try recipe("load.sh", "people.csv refused.csv")
    #expect(outcome.end == .exit(3), "\(outcome.errors)")
    let names = try source.connect().query("SELECT name FROM people ORDER BY id")
    #expect(try names.map { try $0[0, as: String.self] } == ["Ada", "Eve"])
    let refused = try String(contentsOfFile: folder.path + "/refused.csv", encoding: .utf8)
    #expect(refused.contains("x,Bob"))
  }

  @Test("a table is copied, and proven equal")
  func refresh() throws {
    let outcome = try recipe("refresh.sh", "orders")
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.errors.contains("\"status\":\"committed\""))
    #expect(try orders(target) == 3)
  }

  @Test("a migration that fails on the throwaway cluster does not reach the database")
  func migration() throws {
    try folder.write("CREATE TABLE orders (id int PRIMARY KEY, total numeric);", to: "schema.sql")
    try folder.write("ALTER TABLE orders ADD note text; SELECT 1 / 0;", to: "wrong.sql")
    try folder.write("ALTER TABLE orders ADD note text;", to: "right.sql")
    #expect(try recipe("try-migration.sh", "schema.sql wrong.sql").end == .exit(3))
    #expect(try recipe("try-migration.sh", "schema.sql right.sql").end == .exit(0))
    #expect(try source.connect().query("SELECT note FROM orders").count == 3)
  }

  @Test("a log is counted")
  func log() throws {
    try folder.write(
      "2026-11-21 13:00:00.000 UTC [1] 23505 ERROR:  duplicate key\n", to: "server.log")
    let outcome = try recipe("explain-log.sh", "server.log '%m [%p] %e '")
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.output.contains("unique_violation"))
  }

  @Test("a script waits for another one's word")
  func event() throws {
    let running = try BuiltProgram(absolute: Self.root.path + "/recipes/wait-for-event.sh").start(
      [], environment: environment)
    let db = try source.connect()
    for _ in 0..<600 where running.isRunning {
      try db.notify("loaded", payload: "batch 7")
      usleep(100_000)
    }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.output == "going on with batch 7\n")
  }

  // MARK: Those who call by themselves

  @Test("the crontab's line copies the table, and the next one finds that done")
  func crontab() throws {
    let line = try #require(try lines(of: "crontab").last { $0.contains("pg-copy") })
    let command = line.split(separator: " ", maxSplits: 5)[5]
    for _ in 1...2 {
      let outcome = try shell(String(command))
      #expect(outcome.end == .exit(0) && outcome.errors.isEmpty, "\(outcome.errors)")
      #expect(try orders(target) == 3)
      try source.connect().execute("INSERT INTO orders VALUES (4 + (SELECT max(id) FROM orders))")
    }
  }

  @Test("the unit's command copies the table")
  func copyingUnit() throws {
    let command = try command(of: "systemd/pg-copy-nightly.service")
    let outcome = try shell(command)
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try orders(target) == 3)
  }

  @Test("the unit's command runs another for each notification")
  func listeningUnit() throws {
    try folder.write("#!/bin/sh\ncat >>handled\necho >>handled\n", to: "handle-order")
    #expect(chmod(folder.path + "/handle-order", 0o755) == 0)
    let command = try command(of: "systemd/pg-listen-orders.service")
      .replacing("/usr/local/bin/handle-order", with: "./handle-order")
    let running = try BuiltProgram(absolute: "/bin/sh").start(
      ["-c", "cd \"$0\" && exec \(command)", folder.path], environment: environment)
    try running.waitForErrors("listening on ")
    try source.connect().notify("orders", payload: "one")
    var handled: String?
    for _ in 0..<600 where handled?.contains("one") != true {
      handled = try? String(contentsOfFile: folder.path + "/handled", encoding: .utf8)
      usleep(100_000)
    }
    #expect(handled?.contains("one") == true, "\(handled ?? "nothing was handled")")
    running.signal(SIGTERM)
    #expect(try running.wait().end == .signal(SIGTERM))
  }

  @Test(
    "units are as systemd wants them",
    .enabled(if: access("/usr/bin/systemd-analyze", X_OK) == 0, "systemd is not here"))
  func units() throws {
    let names = ["pg-copy-nightly.service", "pg-copy-nightly.timer", "pg-listen-orders.service"]
    let outcome = try BuiltProgram(absolute: "/usr/bin/systemd-analyze").run(
      ["verify"] + names.map { Self.root.path + "/systemd/" + $0 })
    // The programs need not be installed here, which it says of each that is in a unit, and of other units of
    // the machine it says what it likes; a unit that it refuses it calls by its name.
    let complaints = outcome.errors.split(separator: "\n").filter { line in
      names.contains { line.contains($0) } && !line.contains("is not executable")
    }
    #expect(complaints == [])
    #expect(!outcome.errors.contains("Refusing"), "\(outcome.errors)")
  }

  /// What a unit starts, without the place where it is installed.
  private func command(of unit: String) throws -> String {
    let prefix = "ExecStart=/usr/bin/"
    let line = try #require(try lines(of: unit).first { $0.hasPrefix(prefix) })
    return String(line.dropFirst(prefix.count))
  }

  @Test("workflows run a project's tests", arguments: ["github-workflow.yml", "gitlab-ci.yml"])
  func workflows(name: String) throws {
    try folder.write(
      "CREATE TABLE orders (id int PRIMARY KEY, total numeric CHECK (total >= 0))",
      to: "schema.sql")
    try folder.write("ALTER TABLE orders ADD note text", to: "migration.sql")
    try folder.write(
      "#!/bin/sh\npg-open -c 'SELECT 1'\n", to: "run-tests")
    #expect(chmod(folder.path + "/run-tests", 0o755) == 0)
    let commands = try lines(of: name).compactMap { line -> String? in
      line.range(of: "pg-cluster run").map { String(line[$0.lowerBound...]) }
    }
    #expect(commands.count == 2)
    for command in commands {
      let outcome = try shell(command)
      #expect(outcome.end == .exit(0), "\(command): \(outcome.errors)")
    }
  }
}

/// A database of the shared server for one test.
private final class ExampleDatabase {
  private let server: TestServer
  private let name = "example_\(UInt64.random(in: 0...UInt64.max))"

  init() throws {
    server = try TestServer.shared.get()
    try server.connect().execute("CREATE DATABASE \(name)")
  }

  deinit { try? server.connect().execute("DROP DATABASE \(name) WITH (FORCE)") }

  var iri: String { server.iri(database: name) }

  func connect() throws -> Connection { try PGKit.open(iri) }
}
