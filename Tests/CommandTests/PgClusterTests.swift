import Foundation
import FoundationXML
import Glibc
import PGKit
import PGTestCluster
import Testing

@Suite("pg-cluster", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgClusterTests {
  let program = BuiltProgram("pg-cluster")

  private func run(
    _ command: String..., output: BuiltProgram.Output = .captured
  ) throws -> BuiltProgram.Outcome {
    try program.run(["run", "--"] + command, output: output)
  }

  /// Waits until a cluster's directory is gone, and with it what it served.
  private func expectGone(_ directory: String) throws {
    for _ in 0..<200 where FileManager.default.fileExists(atPath: directory) {
      Thread.sleep(forTimeInterval: 0.05)
    }
    #expect(!FileManager.default.fileExists(atPath: directory))
  }

  // MARK: run

  @Test("without a verb it prints its help on stderr and ends with 64")
  func noVerb() throws {
    let outcome = try program.run([])
    #expect(outcome.end == .exit(64))
    #expect(outcome.output.isEmpty && outcome.errors.contains("SUBCOMMANDS:"))
  }

  @Test("gives a command its cluster, takes over its status, and leaves nothing")
  func runs() throws {
    let pgOpen = BuiltProgram("pg-open").path
    let outcome = try run(
      "sh", "-c", "echo $PGHOST; \"\(pgOpen)\" \"$PGKIT_IRI\" 'SELECT 40 + 2'; exit 7")
    #expect(outcome.end == .exit(7))
    #expect(outcome.lines.count == 2)
    #expect(outcome.lines.last == "42")
    try expectGone(String(outcome.lines.first ?? "?"))
  }

  @Test("answers as a shell does when the command cannot be run or dies")
  func statuses() throws {
    #expect(try run("no-such-command").end == .exit(127))
    #expect(try run("").end == .exit(127))
    #expect(try run("/etc/passwd").end == .exit(126))
    #expect(try run("sh", "-c", "kill -9 $$").end == .exit(137))
    #expect(try program.run(["run"]).end == .exit(64))
    #expect(try program.run(["run", "--pg", "3", "--", "true"]).end == .exit(125))
    let bad = try program.run(["run", "--set", "shared_buffers=x", "--", "true"])
    #expect(!bad.errors.contains("server.log"), "it is gone")
    #expect(bad.end == .exit(125))
    #expect(bad.errors.contains("shared_buffers"))
  }

  @Test("tells the command's status even if its parent ignores how children end")
  func ignoredChildren() throws {
    let outcome = try BuiltProgram(absolute: "/usr/bin/perl").run([
      "-e", "$SIG{CHLD} = 'IGNORE'; exec @ARGV", "--", program.path, "run", "--", "sh", "-c",
      "exit 7",
    ])
    #expect(outcome.end == .exit(7), "\(outcome.errors)")
  }

  @Test("a second signal ends the command with it")
  func secondSignal() throws {
    let running = try program.start([
      "run", "--", "sh", "-c", "trap '' TERM; echo \"pid $$\"; while :; do sleep 0.1; done",
    ])
    try running.waitForOutput("pid ")
    running.signal(SIGTERM)
    usleep(400_000)
    #expect(running.isRunning)
    running.signal(SIGTERM)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(SIGTERM))
    let pid = try #require(pid_t(outcome.output.split(separator: " ")[1].filter(\.isNumber)))
    for _ in 0..<500 where kill(pid, 0) == 0 { usleep(10_000) }
    #expect(kill(pid, 0) != 0)
  }

  @Test("is stopped and goes on together with its command")
  func stopsTogether() throws {
    // script(1) gives a terminal; the shell in it, with job control, is what a user types at.
    let shell = """
      set -m; "$0" run -- sh -c 'kill -TSTP $$; echo resumed; exit 5'; echo "stopped $?"; \
      fg; echo "ended $?"
      """
    let outcome = try BuiltProgram(absolute: "/usr/bin/script").run([
      "-qec", "bash -c '\(shell.replacing("'", with: "'\\''"))' \(program.path)", "/dev/null",
    ])
    #expect(outcome.output.contains("resumed"), "\(outcome.output)")
    #expect(outcome.output.contains("ended 5"), "\(outcome.output)")
  }

  @Test("passes signals on to the command and cleans up", arguments: [SIGINT, SIGTERM, SIGHUP])
  func signals(signal: Int32) throws {
    let running = try program.start(["run", "--", "sh", "-c", "echo $PGHOST; exec sleep 60"])
    let directory = try running.waitForOutput { $0.contains("\n") }
    running.signal(signal)
    #expect(try running.wait().end == .exit(128 + signal))
    try expectGone(directory.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  @Test("its cluster goes when it is killed itself")
  func killed() throws {
    let running = try program.start(["run", "--", "sh", "-c", "echo $PGHOST; exec sleep 5"])
    let directory = try running.waitForOutput { $0.contains("\n") }
    running.signal(SIGKILL)
    #expect(try running.wait().end == .signal(SIGKILL))
    try expectGone(directory.trimmingCharacters(in: .whitespacesAndNewlines))
  }

  @Test("works as an ordinary user", .enabled(if: geteuid() == 0, "the tests do not run as root"))
  func ordinaryUser() throws {
    let setpriv = BuiltProgram(absolute: "/usr/bin/setpriv")
    let copy = try PublicCopy(of: program.path)
    defer { copy.remove() }
    let home = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: home) }
    let outcome = try setpriv.run(
      [
        "--reuid=65534", "--regid=65534", "--clear-groups", copy.path, "run", "--",
        "sh", "-c", "id -u; stat -c %u $PGHOST/data",
      ], environment: ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "PGKIT_CLUSTER_HOME": home])
    #expect(outcome.output == "65534\n65534\n", "\(outcome.errors)")
    #expect(outcome.end == .exit(0))
  }

  // MARK: temp

  @Test("prints one IRI and ends, and the cluster ends with its owner")
  func temporary() throws {
    let owner = try BuiltProgram(absolute: "/bin/sleep").start(["60"])
    let outcome = try program.run(
      ["temp", "--owner-pid", "\(owner.process)", "--scheme", "postgres"])
    #expect(outcome.end == .exit(0))
    #expect(outcome.lines.count == 1)
    let iri = String(outcome.lines.first ?? "")
    #expect(try PGKit.open(iri).query("SELECT 1").count == 1)
    let directory = try #require(try ConnectionOptions.parse(iri).hosts?.first)
    owner.signal(SIGTERM)
    _ = try owner.wait()
    try expectGone(directory)
  }

  @Test("an owner that is not there is refused before anything is made")
  func missingOwner() throws {
    let owner = try BuiltProgram(absolute: "/bin/true").start([])
    _ = try owner.wait()
    let outcome = try program.run(["temp", "--owner-pid", "\(owner.process)"])
    #expect(outcome.end == .exit(1) && outcome.output.isEmpty)
    #expect(outcome.errors.contains("no process \(owner.process)"))
  }

  @Test("a cluster with a time to live ends by itself")
  func lifetime() throws {
    let outcome = try program.run(["temp", "--ttl", "1s"])
    let directory = try #require(
      try ConnectionOptions.parse(String(outcome.lines.first ?? "")).hosts?.first)
    try expectGone(directory)
  }

  @Test("keeps no cluster whose IRI nobody could read")
  func unreadableIRI() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    for output in [BuiltProgram.Output.full, .closed] {
      let outcome = try program.run(["temp"], output: output, environment: scene.environment)
      #expect(outcome.end == .exit(1))
      try scene.waitUntilNothingIsHeld()
      #expect(try scene.leftovers().isEmpty)
    }
  }

  // MARK: init, start, status, stop, drop

  @Test("refuses to listen both as configured and otherwise")
  func contradiction() throws {
    let outcome = try program.run(["start", "/no/such/cluster", "--configured", "--tcp"])
    #expect(outcome.end == .exit(64))
    #expect(outcome.errors.contains("--configured") && outcome.errors.contains("--tcp"))
  }

  @Test("takes a cluster from init to drop, with pg_ctl's answers to status")
  func life() throws {
    let data = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    func cluster(_ verb: String, _ arguments: String...) throws -> BuiltProgram.End {
      try program.run([verb, data] + arguments).end
    }
    #expect(try cluster("status") == .exit(4))
    #expect(try cluster("start") == .exit(1))
    #expect(try cluster("init", "--no-sync") == .exit(0))
    #expect(try cluster("init") == .exit(1))
    #expect(try cluster("status") == .exit(3))
    let started = try program.run(["start", data, "--set", "fsync=off"], timeout: .seconds(30))
    #expect(started.end == .exit(0))
    #expect(started.output == "")
    #expect(try cluster("status") == .exit(0))
    #expect(try cluster("start") == .exit(0))
    #expect(try cluster("drop") == .exit(1))
    #expect(try cluster("stop") == .exit(0))
    #expect(try cluster("status") == .exit(3))
    #expect(try cluster("drop") == .exit(0))
    #expect(try cluster("drop") == .exit(1))
    #expect(try cluster("drop", "--if-exists") == .exit(0))
  }
}

extension PgClusterTests {
  // MARK: what is told of clusters

  @Test("tells of a throwaway cluster in every form, and sweeps it up when nobody holds it")
  func throwaway() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    func cluster(_ arguments: String...) throws -> BuiltProgram.Outcome {
      try program.run(arguments, environment: scene.environment)
    }
    let iri = try cluster("temp", "--ttl", "60s").output
    let directory = try #require(scene.directories().first)
    #expect(try cluster("list").output.hasPrefix("\(directory)\theld\tserver "))
    let listed = try JSONSerialization.jsonObject(with: Data(cluster("list", "--json").output.utf8))
    let entry = try #require((listed as? [[String: Any]])?.first)
    #expect(entry["directory"] as? String == directory && entry["lifetime"] as? Int == 60)
    #expect(try cluster("url", directory).output == iri)
    #expect(try cluster("url", "--scheme", "postgres", directory).output.hasPrefix("postgres://"))
    let shell = try BuiltProgram(absolute: "/bin/sh").run([
      "-c", cluster("env", directory).output + "echo $PGHOST $PGUSER $PGKIT_IRI",
    ])
    #expect(shell.output == "\(directory) postgres \(iri)")
    let json = try JSONSerialization.jsonObject(
      with: Data(cluster("env", "--format", "json", directory).output.utf8))
    #expect((json as? [String: String])?["PGHOST"] == directory)
    #expect(try cluster("env", "--format", "github", directory).output.contains("PGPORT=5432\n"))
    let lines = try cluster("env", "--format", "github", "--dbname", "a\nEND=b", directory).output
    #expect(lines.contains("PGDATABASE<<END_\na\nEND=b\nEND_\n"), "\(lines)")
    let quoted = try cluster("env", "--format", "dotenv", "--dbname", "it's\n$x", directory).output
    #expect(quoted.contains("PGDATABASE=\"it's\\n\\$x\"\n"), "\(quoted)")
    #expect(try cluster("status", directory).end == .exit(0))
    #expect(try cluster("start", directory).end == .exit(0), "it runs already")
    #expect(try cluster("config", "get", directory, "max_connections").end == .exit(0))
    #expect(try cluster("wait", iri.trimmingCharacters(in: .newlines)).end == .exit(0))
    #expect(try cluster("logs", directory).end == .exit(0))
    #expect(try cluster("gc", "--dry-run").errors.isEmpty, "somebody holds it")
    for supervisor in try scene.processes(false, true, false) { kill(supervisor, SIGKILL) }
    try scene.waitUntilNothingIsHeld()
    #expect(try cluster("gc", "--dry-run").errors.contains("would remove \(directory)"))
    #expect(try cluster("list").output.contains("abandoned"))
    #expect(try cluster("gc").errors.contains("removed \(directory), with "))
    #expect(try cluster("list").output.isEmpty)
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("waits no longer than told, and no more when the server refuses for good")
  func waiting() throws {
    let start = ContinuousClock.now
    let late = try program.run([
      "wait", "postgres://x@%2Fno%2Fsuch%2Fplace/x", "--timeout", "300ms",
    ])
    #expect(late.end == .exit(4))
    #expect(ContinuousClock.now - start < .seconds(10))
    let server = try TestServer.shared.get()
    #expect(try program.run(["wait", server.iri(database: "no_such")]).end == .exit(2))
    #expect(try program.run(["wait", "nonsense=1"]).end == .exit(64))
  }

  @Test("names the installations with the reason")
  func versions() throws {
    let outcome = try program.run(["versions", "--json"])
    let list = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
    let first = try #require((list as? [[String: String]])?.first)
    #expect(first["major"] == (try Installation.find().majorVersion))
    #expect(first["reason"]?.isEmpty == false)
  }

  @Test("keeps data on disk when told, and runs initdb once for what decides about its work")
  func storages() throws {
    let scene = try ClusterScene(countingInits: true)
    defer { scene.remove() }
    func place(_ arguments: String...) throws -> String {
      let outcome = try program.run(
        ["run", "--pg", scene.programs] + arguments + ["--", "sh", "-c", "echo $PGHOST"],
        environment: scene.environment)
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      return outcome.output
    }
    #expect(try place("--storage", "disk").hasPrefix("/tmp/"))
    #expect(try place("--storage", "disk", "--preset", "safe").hasPrefix("/tmp/"))
    #expect(try scene.initCount() == 1)
    _ = try place("--no-cache")
    #expect(try scene.initCount() == 2)
    _ = try place("--checksums", "--preset", "logical")
    #expect(try scene.initCount() == 3, "other arguments, another template")
    var abroad = scene.environment
    abroad["TZ"] = "Asia/Tokyo"
    let pgOpen = BuiltProgram("pg-open").path
    let zone = try program.run(
      [
        "run", "--pg", scene.programs, "--", "sh", "-c",
        "\"\(pgOpen)\" \"$PGKIT_IRI\" \"SELECT setting FROM pg_settings WHERE name = 'log_timezone'\"",
      ], environment: abroad)
    #expect(zone.output.contains("Asia/Tokyo"), "\(zone)")
    #expect(try scene.initCount() == 4, "another time zone, another template")
    #expect(try scene.leftovers().isEmpty)
  }

  // MARK: more than one server

  private var otherServers: String {
    TestServer.installations.dropFirst().map(\.binaryDirectory).joined(separator: ",")
  }

  @Test("runs a command once for each version, and reports each by itself")
  func matrix() throws {
    let own = try Installation.find()
    let named =
      otherServers.isEmpty ? own.binaryDirectory : own.binaryDirectory + "," + otherServers
    let outcome = try program.run([
      "run", "--versions", named, "--", "sh", "-c",
      "echo \"$PGVERSION is here\"; test $PGVERSION != 15",
    ])
    let all = [own] + TestServer.installations.dropFirst()
    for installation in all {
      #expect(outcome.errors.contains("== PostgreSQL \(installation.version)\n"))
    }
    #expect(outcome.lines == all.map { "\($0.majorVersion) is here" }, "nothing but what it says")
    #expect(outcome.end == .exit(own.majorVersion == "15" ? 1 : 0), "\(outcome.errors)")
    #expect(try program.run(["run", "--versions", "15,3", "--", "true"]).end == .exit(125))
    #expect(
      try program.run(["run", "--versions", "15", "--pg", "15", "--", "true"]).end == .exit(64))
  }

  @Test("keeps a run's outputs apart and in order, and runs a version once that is named twice")
  func matrixOutputs() throws {
    let own = try Installation.find()
    let outcome = try program.run([
      "run", "--versions", "\(own.binaryDirectory),\(own.majorVersion)", "--", "sh", "-c",
      "echo 1; sleep 0.1; echo 2 >&2; sleep 0.1; echo 3; sleep 0.1; printf 4 >&2; (sleep 30; echo 5) &",
    ])
    #expect(outcome.output == "1\n3\n")
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.prefix(3) == ["== PostgreSQL \(own.version)", "2", "4"], "\(outcome.errors)")
    #expect(lines.count == 4 && lines.last?.contains("passed") == true)
  }

  @Test("writes how each version fared for systems that read JUnit or TAP")
  func matrixReport() throws {
    let folder = try ScratchFolder()
    let own = try Installation.find()
    let two = try folder.link("bin", to: own.binaryDirectory)
    func report(_ name: String) throws -> String {
      let outcome = try program.run([
        "run", "--versions", "\(own.binaryDirectory),\(two)", "--report=\(folder.path)/\(name)",
        "--",
        "sh", "-c", "echo '<&>' >&2; case $PG_CONFIG in \(two)/*) exit 3;; esac",
      ])
      #expect(outcome.end == .exit(3), "\(outcome.errors)")
      return try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
    }
    let junit = try XMLDocument(xmlString: try report("r.xml"))
    let suite = try #require(junit.rootElement())
    #expect(suite.name == "testsuite" && suite.attribute(forName: "tests")?.stringValue == "2")
    #expect(suite.attribute(forName: "failures")?.stringValue == "1")
    let cases = suite.elements(forName: "testcase")
    #expect(cases.map { $0.elements(forName: "failure").count } == [0, 1])
    #expect(cases.last?.stringValue?.contains("<&>") == true)
    #expect(
      cases.last?.attribute(forName: "name")?.stringValue == "PostgreSQL \(own.version)")
    let tap = try report("r.tap").split(separator: "\n")
    #expect(tap.prefix(3) == ["TAP version 14", "1..2", "ok 1 - PostgreSQL \(own.version)"])
    #expect(tap.contains("not ok 2 - PostgreSQL \(own.version)") && tap.contains("  status: 3"))
    for wrong in [["--report", "r.xml"], ["--versions", "15", "--report", "r.txt"]] {
      #expect(try program.run(["run"] + wrong + ["--", "true"]).end == .exit(64))
    }
  }

  @Test("leaves no run behind when it is killed")
  func killedMatrix() throws {
    let folder = try ScratchFolder()
    let own = try Installation.find().binaryDirectory
    let other = try folder.link("bin", to: own)
    let file = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: file) }
    let running = try program.start([
      "run", "--versions", "\(own),\(other)", "--", "sh", "-c",
      "echo \"$$ $PGHOST\" >>\(file); exec sleep 60",
    ])
    func lines() -> [[Substring]] {
      ((try? String(contentsOfFile: file, encoding: .utf8)) ?? "").split(separator: "\n")
        .map { $0.split(separator: " ") }
    }
    for _ in 0..<400 where lines().count < 2 { usleep(50_000) }
    running.signal(SIGKILL)
    #expect(try running.wait().end == .signal(SIGKILL))
    #expect(lines().count == 2)
    for line in lines() {
      try expectGone(String(line[1]))
      #expect(kill(try #require(pid_t(line[0])), 0) != 0)
    }
  }

  @Test("passes a signal on to every run, whenever it comes, and waits for their ends")
  func matrixSignals() throws {
    let folder = try ScratchFolder()
    let own = try Installation.find().binaryDirectory
    let others = try ["a", "b"].map { try folder.link($0, to: own) }.joined(separator: ",")
    let begin = ContinuousClock.now
    for delay in [4_000, 8_000, 15_000, 300_000] as [useconds_t] {
      let running = try program.start([
        "run", "--versions", "\(own),\(others)", "--", "sleep", "60",
      ])
      usleep(delay)
      running.signal(SIGTERM)
      #expect(try running.wait(timeout: .seconds(30)).end == .signal(SIGTERM))
    }
    #expect(ContinuousClock.now - begin < .seconds(50))
  }

  @Test("lends a command standbys that follow")
  func standbys() throws {
    let pgOpen = BuiltProgram("pg-open").path
    let outcome = try run(
      standbys: 1,
      """
      "\(pgOpen)" "$PGKIT_IRI" "CREATE TABLE followed AS SELECT 7 AS a" >/dev/null
      for try in $(seq 100); do
        "\(pgOpen)" "$PGKIT_STANDBY1_IRI" "SELECT a, pg_is_in_recovery() FROM followed" 2>/dev/null && exit
        sleep 0.1
      done; exit 1
      """)
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.output.contains("7"))
  }

  private func run(standbys: Int, _ script: String) throws -> BuiltProgram.Outcome {
    try program.run(["run", "--standby", "\(standbys)", "--", "sh", "-c", script])
  }

  @Test(
    "hands the authority of its certificate to the command",
    .enabled(if: CertificateAuthority.isAvailable, "there is no openssl command"))
  func certificate() throws {
    let pgOpen = BuiltProgram("pg-open").path
    let question = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
    let outcome = try program.run([
      "run", "--tls", "--", "sh", "-c",
      "test -r $PGSSLROOTCERT && echo $PGSSLMODE && \"\(pgOpen)\" \"$PGKIT_IRI\" '\(question)'",
    ])
    #expect(
      outcome.output == "verify-full\nt\n" || outcome.output == "verify-full\ntrue\n", "\(outcome)")
  }

  @Test("runs seeds once, keeps what they made, and says which one is wrong")
  func seeds() throws {
    let scene = try ClusterScene(countingInits: true)
    defer { scene.remove() }
    let seed = scene.home + "/seed.sql"
    try "CREATE TABLE seeded AS SELECT 42 AS a;".write(
      toFile: seed, atomically: false, encoding: .utf8)
    let pgOpen = BuiltProgram("pg-open").path
    func run(_ seed: String) throws -> BuiltProgram.Outcome {
      try program.run(
        [
          "run", "--pg", scene.programs, "--seed", seed, "--", "sh", "-c",
          "\"\(pgOpen)\" \"$PGKIT_IRI\" 'SELECT a FROM seeded'",
        ], environment: scene.environment)
    }
    for _ in 0..<2 { #expect(try run(seed).output.contains("42")) }
    #expect(try scene.initCount() == 1)
    try "CREATE TABLE seeded AS SELECT 43 AS a;".write(
      toFile: seed, atomically: false, encoding: .utf8)
    #expect(try run(seed).output.contains("43"))
    #expect(try scene.initCount() == 1, "the seed grows from the same template")
    try Data([0x53, 0xFF, 0x0A]).write(to: URL(filePath: seed))
    let malformed = try run(seed)
    #expect(malformed.end == .exit(125) && malformed.errors.contains(seed))
    try "boom".write(toFile: seed, atomically: false, encoding: .utf8)
    let bad = try run(seed)
    #expect(bad.end == .exit(125))
    #expect(bad.errors.contains(seed) && bad.errors.contains("syntax error"))
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("a captured start, and a captured temp, return while their servers run on")
  func capturedStart() throws {
    let data = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    #expect(try program.run(["init", data, "--no-sync"]).end == .exit(0))
    let outcome = try BuiltProgram(absolute: "/bin/sh").run(
      [
        "-c",
        "x=$(\"$0\" start \"$1\" 2>&1); y=$(\"$0\" temp --owner-pid $$); \"$0\" status \"$1\"",
        program.path, data,
      ])
    #expect(outcome.end == .exit(0))
    #expect(try program.run(["restart", data]).end == .exit(0))
    #expect(try program.run(["reload", data]).end == .exit(0))
    #expect(try program.run(["stop", data]).end == .exit(0))
    #expect(try program.run(["reload", data]).end == .exit(1))
    #expect(try program.run(["drop", data]).end == .exit(0))
  }

  // MARK: config

  @Test("edits a configuration and keeps the rest of the file")
  func configuration() throws {
    let path = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8)).conf"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let text = "# hello\nport = 5432 # the usual\n#work_mem = 4MB\n"
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    func config(_ arguments: String...) throws -> BuiltProgram.Outcome {
      try program.run(["config"] + arguments)
    }
    #expect(try config("get", path, "PORT").output == "5432\n")
    #expect(try config("get", path, "port", "work_mem").end == .exit(6))
    let shown = try config("set", path, "--stdout", "work_mem=it's")
    #expect(shown.output == text.replacing("#work_mem = 4MB", with: "work_mem = 'it''s'"))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
    #expect(try config("set", path, "work_mem=8MB", "jit=off").end == .exit(0))
    #expect(try config("unset", path, "port").end == .exit(0))
    #expect(try config("get", path).output == "work_mem = '8MB'\njit = 'off'\n")
    #expect(
      try String(contentsOfFile: path, encoding: .utf8)
        == "# hello\n#port = 5432 # the usual\nwork_mem = '8MB'\njit = 'off'\n")
    #expect(try config("set", path, "a", "=", "b").end == .exit(64))
    #expect(try config("set", path, "a b=c").end == .exit(64))
    #expect(try config("get", "/no/such/dir", "port").end == .exit(1))
  }

  @Test(
    "replaces no configuration that it could not give back to its owner",
    .enabled(if: geteuid() == 0, "the tests do not run as root"))
  func foreignConfiguration() throws {
    let copy = try PublicCopy(of: program.path)
    defer { copy.remove() }
    let folder = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/postgresql.conf"
    try "port = 1\n".write(toFile: path, atomically: false, encoding: .utf8)
    chmod(path, 0o644)
    chown(folder, 65_534, 65_534)
    let outcome = try BuiltProgram(absolute: "/usr/bin/setpriv").run([
      "--reuid=65534", "--regid=65534", "--clear-groups", copy.path, "config", "set", path,
      "port=2",
    ])
    #expect(outcome.end == .exit(1) && outcome.errors.contains(path), "\(outcome)")
    #expect(try FileManager.default.attributesOfItem(atPath: path)[.ownerAccountID] as? Int == 0)
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "port = 1\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["postgresql.conf"])
  }
}
