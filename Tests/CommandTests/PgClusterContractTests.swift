import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What is left of a process that crashes.
private enum Crashes {
  static let leaveCores: Bool = {
    let pattern = try? String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
    return pattern?.hasPrefix("core") == true && limit.rlim_max > 0
      && FileManager.default.fileExists(atPath: "/usr/bin/gdb")
  }()
}

/// What pg-cluster prints, keeps and forgets: options one by one.
@Suite(
  "pg-cluster, option by option",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgClusterContractTests {
  private let scene: ClusterScene
  private let files = FileManager.default
  private let pgOpen = BuiltProgram("pg-open").path

  init() throws { scene = try ClusterScene() }

  private func cluster(_ arguments: String...) throws -> BuiltProgram.Outcome {
    try scene.run(arguments)
  }

  private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func list(_ text: String) throws -> [[String: Any]] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
  }

  private var newDirectory: String { "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))" }

  private func waitUntilGone(_ directory: String) {
    for _ in 0..<400 where files.fileExists(atPath: directory) { usleep(50_000) }
    #expect(!files.fileExists(atPath: directory))
  }

  private func directory(of iri: String) throws -> String {
    try #require(try ConnectionOptions.parse(iri.filter { $0 != "\n" }).hosts?.first)
  }

  // MARK: clusters that stay

  @Test("tells a program what state a cluster is in, and lists it until it is dropped")
  func states() throws {
    defer { scene.remove() }
    let data = newDirectory
    let missing = try cluster("status", "--json", data)
    #expect(missing.end == .exit(4))
    #expect(try object(missing.output)["state"] as? String == "missing")
    #expect(try cluster("init", data, "--no-sync").end == .exit(0))
    let stopped = try object(cluster("status", "--json", data).output)
    #expect(stopped["state"] as? String == "stopped" && stopped["stale"] is NSNull)
    #expect(try cluster("list").output.hasPrefix("\(data)\tstopped\tno server\tPostgreSQL "))
    #expect(try cluster("start", data).end == .exit(0))
    let running = try object(cluster("status", "--json", data).output)
    #expect(running["state"] as? String == "running")
    #expect(running["server_state"] as? String == "ready" && running["port"] as? Int == 5432)
    let pid = try #require(running["pid"] as? Int)
    #expect(try cluster("list").output.hasPrefix("\(data)\trunning\tserver \(pid)\t"))
    let entry = try #require(try list(cluster("list", "--json").output).first)
    #expect(entry["kind"] as? String == "standing" && entry["server"] as? Int == pid)
    #expect(try cluster("stop", data).end == .exit(0))
    let dropped = try cluster("drop", data)
    #expect(dropped.end == .exit(0) && dropped.errors.contains(" bytes"), "\(dropped)")
    #expect(try cluster("list").output.isEmpty)
    #expect(try cluster("list", "--json").output == "[]\n")
  }

  @Test("makes clusters with checksums and a size of WAL files")
  func making() throws {
    defer { scene.remove() }
    let data = newDirectory
    #expect(try cluster("init", data, "--wal-segsize", "3").end == .exit(64))
    #expect(
      try cluster("init", data, "--no-sync", "--checksums", "--wal-segsize", "2").end == .exit(0))
    let names = try files.contentsOfDirectory(atPath: data + "/pg_wal")
    let segment = try #require(names.first { $0.hasPrefix("0000") })
    let size = try files.attributesOfItem(atPath: "\(data)/pg_wal/\(segment)")[.size] as? Int
    #expect(size == 2 << 20)
    let bin = try Installation.find().binaryDirectory
    let control = try BuiltProgram(absolute: bin + "/pg_controldata").run([data])
    #expect(control.output.contains { $0.isNewline })
    let line = control.lines.first { $0.hasPrefix("Data page checksum version") }
    #expect(line?.hasSuffix(" 1") == true)
    #expect(try cluster("drop", data).end == .exit(0))
  }

  @Test("leaves what tablespaces hold elsewhere, unless it is told to remove that too")
  func tablespaces() throws {
    defer { scene.remove() }
    for isTold in [false, true] {
      let (data, place) = (newDirectory, newDirectory)
      defer { try? files.removeItem(atPath: place) }
      #expect(try cluster("init", data, "--no-sync").end == .exit(0))
      try files.createDirectory(atPath: place, withIntermediateDirectories: false)
      var owner = stat()
      try #require(stat(data, &owner) == 0)
      chown(place, owner.st_uid, owner.st_gid)
      let started = try cluster("start", data, "--set", "fsync=off")
      #expect(started.end == .exit(0), "\(started)")
      let superuser = try #require(getpwuid(geteuid())).pointee.pw_name
      let iri = try cluster(
        "url", data, "--user", String(cString: try #require(superuser)), "--dbname", "postgres")
      let db = try PGKit.open(iri.output.filter { $0 != "\n" })
      try db.execute("CREATE TABLESPACE away LOCATION '\(place)'")
      try db.execute("CREATE TABLE t TABLESPACE away AS SELECT 1 AS a")
      db.close()
      #expect(try cluster("stop", data).end == .exit(0))
      let dropped = try scene.run(["drop", data] + (isTold ? ["--tablespaces"] : []))
      #expect(dropped.end == .exit(0), "\(dropped)")
      #expect(dropped.errors.contains("left \(place)/PG_") == !isTold)
      #expect(try files.contentsOfDirectory(atPath: place).isEmpty == isTold)
      #expect(files.fileExists(atPath: place))
    }
  }

  // MARK: run

  @Test("keeps the cluster of a command that fails, and says how to enter it and be rid of it")
  func keepOnFailure() throws {
    defer { scene.remove() }
    #expect(try cluster("run", "--keep-on-failure", "--", "true").errors.isEmpty)
    #expect(try cluster("list").output.isEmpty)
    let outcome = try cluster("run", "--keep-on-failure", "--", "sh", "-c", "echo $PGHOST; exit 3")
    #expect(outcome.end == .exit(3))
    let directory = String(try #require(outcome.lines.first))
    let iri = try #require(
      outcome.errors.split(separator: "'").first { $0.hasPrefix("postgres://") })
    #expect(outcome.errors.contains("kept in \(directory): psql '"))
    #expect(try PGKit.open(String(iri)).query("SELECT 1").count == 1)
    #expect(try cluster("list").output.hasPrefix("\(directory)\tkept\tserver "))
    #expect(try cluster("gc").end == .exit(0))
    let refused = try cluster("drop", directory)
    #expect(refused.end == .exit(1) && refused.errors.contains("Stop it first"), "\(refused)")
    #expect(try cluster("stop", directory, "--mode", "immediate").end == .exit(0))
    #expect(try cluster("drop", directory).errors.contains("removed \(directory), "))
    #expect(!files.fileExists(atPath: directory))
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("drops no throwaway cluster that somebody looks after, nor what only looks like one")
  func heldThrowaway() throws {
    defer { scene.remove() }
    let directory = try directory(of: cluster("temp", "--ttl", "60s").output)
    let held = try cluster("drop", directory)
    #expect(held.end == .exit(1) && held.errors.contains("somebody still looks after"), "\(held)")
    for supervisor in try scene.census().supervisors { kill(supervisor, SIGKILL) }
    try scene.waitUntilNothingIsHeld()
    #expect(try cluster("gc").end == .exit(0))
    #expect(try scene.leftovers().isEmpty)
    let other = newDirectory
    #expect(try cluster("init", other + "-data", "--no-sync").end == .exit(0))
    try files.createDirectory(atPath: other, withIntermediateDirectories: false)
    try files.moveItem(atPath: other + "-data", toPath: other + "/data")
    let foreign = try cluster("drop", other)
    #expect(foreign.end == .exit(1) && foreign.errors.contains("\(other)/data"), "\(foreign)")
    try files.removeItem(atPath: other)
  }

  @Test("tells how long each step took")
  func times() throws {
    defer { scene.remove() }
    let outcome = try cluster("run", "--times", "--", "true")
    let steps = outcome.errors.split(separator: "\n").filter { $0.contains(" us: ") }
    #expect(steps.count > 5 && outcome.errors.contains("us: first login"), "\(outcome)")
    #expect(outcome.output.isEmpty)
  }

  @Test("shows what the server logged when the command fails, and nothing that moves a cursor")
  func logTail() throws {
    defer { scene.remove() }
    let script = """
      "\(pgOpen)" "$PGKIT_IRI" "SELECT E'\\\\033[31mred'::int" 2>/dev/null; exit 9
      """
    let outcome = try cluster("run", "--", "sh", "-c", script)
    #expect(outcome.end == .exit(9))
    #expect(outcome.errors.contains("what the server has logged last:\n"), "\(outcome)")
    #expect(outcome.errors.contains("[31mred") && !outcome.errors.contains("\u{1B}"))
    #expect(try cluster("run", "--log-tail", "0", "--", "sh", "-c", script).errors.isEmpty)
    #expect(try cluster("run", "--", "false").errors.isEmpty, "nothing was logged")
    #expect(try cluster("run", "--log-tail", "-1", "--", "true").end == .exit(64))
  }

  @Test(
    "tells where a server process has crashed",
    .enabled(
      if: Crashes.leaveCores,
      "crashes leave nothing here that could be looked at, or there is no gdb"))
  func backtrace() throws {
    defer { scene.remove() }
    let script = """
      "\(pgOpen)" "$PGKIT_IRI" "SELECT pg_backend_pid(), pg_sleep(9)" >/dev/null 2>&1 &
      while ! pid=$(pgrep -f "$PGUSER postgres .*SELECT" -P "$(head -n 1 $PGHOST/data/postmaster.pid)")
      do sleep 0.1; done
      kill -SEGV $pid; wait
      until grep -q 'terminated by signal 11' "$PGHOST/server.log"; do sleep 0.1; done
      exit 1
      """
    let outcome = try BuiltProgram(absolute: "/usr/bin/prlimit").run(
      ["--core=unlimited", scene.program.path, "run", "--", "bash", "-c", script],
      environment: scene.environment)
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("terminated by signal 11"), "\(outcome)")
    #expect(outcome.errors.contains("#0 "), "\(outcome)")
  }

  @Test("kills a command that takes longer than its grace")
  func grace() throws {
    defer { scene.remove() }
    let running = try scene.start([
      "run", "--grace", "300ms", "--", "sh", "-c",
      "trap '' TERM; echo on; while :; do sleep 0.1; done",
    ])
    try running.waitForOutput("on\n")
    let begin = ContinuousClock.now
    running.signal(SIGTERM)
    #expect(try running.wait().end == .exit(137))
    #expect(ContinuousClock.now - begin < .seconds(4), "the usual grace is five seconds")
  }

  @Test("hands over the password in a file of the command's own, and the service's place")
  func passwordFile() throws {
    defer { scene.remove() }
    let script = """
      stat -c %a "$PGPASSFILE"; test -e "$PGSYSCONFDIR/pg_service.conf" && unset PGPASSWORD && \
      "\(pgOpen)" "host=$PGHOST port=$PGPORT user=$PGUSER dbname=$PGDATABASE" "SELECT 7"
      """
    let outcome = try cluster("run", "--tcp", "--", "sh", "-c", script)
    #expect(outcome.end == .exit(0), "\(outcome)")
    #expect(outcome.lines.first == "600" && outcome.lines.last == "7")
  }

  @Test(
    "finds extensions that are not installed, on servers that can",
    arguments: TestServer.installations)
  func extensions(installation: Installation) throws {
    defer { scene.remove() }
    let folder = scene.home + "/under development"
    try files.createDirectory(
      atPath: folder + "/extension", withIntermediateDirectories: true)
    try "default_version = '1.0'\n".write(
      toFile: folder + "/extension/pgkit_demo.control", atomically: false, encoding: .utf8)
    try "CREATE FUNCTION demo() RETURNS int LANGUAGE sql AS 'SELECT 42';".write(
      toFile: folder + "/extension/pgkit_demo--1.0.sql", atomically: false, encoding: .utf8)
    func run(_ folder: String) throws -> BuiltProgram.Outcome {
      try cluster(
        "run", "--pg", installation.binaryDirectory, "--extension-path", folder, "--", "sh", "-c",
        "\"\(pgOpen)\" \"$PGKIT_IRI\" 'CREATE EXTENSION pgkit_demo' && "
          + "\"\(pgOpen)\" \"$PGKIT_IRI\" 'SELECT demo()'")
    }
    let outcome = try run(folder)
    if installation.serverVersion.major < 18 {
      #expect(outcome.end == .exit(125) && outcome.errors.contains("Servers since 18"))
      return
    }
    #expect(outcome.end == .exit(0) && outcome.lines.last == "42", "\(outcome)")
    let empty = try run(scene.home)
    #expect(empty.end == .exit(125) && empty.errors.contains("no directory \"extension\""))
  }

  // MARK: temp

  @Test("a cluster that nobody uses goes, one that is used stays", arguments: [false, true])
  func idle(isTCP: Bool) throws {
    defer { scene.remove() }
    let outcome = try scene.run(
      ["temp", "--idle", "2s"] + (isTCP ? ["--tcp"] : []))
    #expect(outcome.end == .exit(0), "\(outcome)")
    let db = try PGKit.open(outcome.output.filter { $0 != "\n" })
    let directory = try #require(scene.directories().first)
    usleep(4_500_000)
    #expect(try db.query("SELECT 1").count == 1)
    #expect(files.fileExists(atPath: directory))
    db.close()
    waitUntilGone(directory)
    try scene.waitUntilNothingIsHeld()
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("takes from the environment how long a cluster lives of which nothing is said")
  func usualLifetime() throws {
    defer { scene.remove() }
    func temp(_ lifetime: String) throws -> BuiltProgram.Outcome {
      var environment = scene.environment
      environment["PGKIT_CLUSTER_TTL"] = lifetime
      return try scene.program.run(["temp"], environment: environment)
    }
    let refused = try temp("soon")
    #expect(refused.end == .exit(64) && refused.errors.contains("PGKIT_CLUSTER_TTL"))
    #expect(try temp("0s").end == .exit(64))
    waitUntilGone(try directory(of: temp("1s").output))
  }

  @Test("makes a template anew when the files have changed that initdb reads")
  func sharedFiles() throws {
    let scene = try ClusterScene(countingInits: true)
    defer {
      scene.remove()
      self.scene.remove()
    }
    let share = scene.home + "/share"
    try files.createDirectory(atPath: share, withIntermediateDirectories: false)
    let script = "#!/bin/sh\necho 'SHAREDIR = \(share)'\n"
    try script.write(toFile: scene.programs + "/pg_config", atomically: true, encoding: .utf8)
    chmod(scene.programs + "/pg_config", 0o755)
    func run() throws -> String {
      let outcome = try scene.run(["run", "--pg", scene.programs, "--", "true"])
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      return outcome.errors
    }
    var said = try [run(), run()]
    #expect(try scene.initCount() == 1, "\(said)")
    try "x".write(toFile: share + "/postgres.bki", atomically: false, encoding: .utf8)
    said = try [run(), run()]
    #expect(try scene.initCount() == 2, "\(said)")
  }
}
