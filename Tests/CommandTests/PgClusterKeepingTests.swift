import Foundation
import PGKit
import PGTestCluster
import Testing

/// What is kept between clusters: snapshots, the templates of `db new`, and what a seed's command made.
@Suite("pg-cluster: snapshots, databases for tests, seeds by command")
struct PgClusterKeepingTests {
  private let pgOpen = BuiltProgram("pg-open")

  private func ask(_ data: String, _ sql: String, _ scene: ClusterScene) throws -> String {
    let iri = try scene.run(["url", data, "--user", "keeper"])
    #expect(iri.end == .exit(0), "\(iri)")
    let answer = try pgOpen.run([
      iri.output.trimmingCharacters(in: .newlines), "--format", "raw", sql,
    ])
    #expect(answer.end == .exit(0), "\(answer)")
    return answer.output.trimmingCharacters(in: .newlines)
  }

  private func make(_ data: String, _ scene: ClusterScene) throws {
    let made = try scene.run([
      "init", data, "--no-sync", "--superuser", "keeper", "--initdb-arg=--auth-local=trust",
    ])
    #expect(made.end == .exit(0), "\(made)")
  }

  @Test("a snapshot gives a cluster back as it was, as often as wanted", arguments: Account.all)
  func snapshots(account: Account) throws {
    let scene = try ClusterScene(account: account)
    defer { scene.remove() }
    let (data, copy) = (scene.home + "/data", scene.home + "/copy")
    try make(data, scene)
    #expect(try scene.run(["start", data, "--set", "fsync=off"]).end == .exit(0))
    _ = try ask(data, "CREATE TABLE t AS SELECT 1 AS a", scene)
    let early = try scene.run(["snapshot", "save", "first", data])
    #expect(early.end == .exit(1) && early.errors.contains("Stop it first"), "\(early)")
    #expect(try scene.run(["stop", data]).end == .exit(0))
    #expect(try scene.run(["snapshot", "save", "first", data]).end == .exit(0))
    let again = try scene.run(["snapshot", "save", "first", data])
    #expect(again.end == .exit(1) && again.errors.contains("already"), "\(again)")
    #expect(try scene.run(["snapshot", "save", "--replace", "first", data]).end == .exit(0))

    #expect(try scene.run(["start", data, "--set", "fsync=off"]).end == .exit(0))
    _ = try ask(data, "UPDATE t SET a = 2", scene)
    #expect(try scene.run(["stop", data]).end == .exit(0))
    let full = try scene.run(["snapshot", "restore", "first", data])
    #expect(full.end == .exit(1) && full.errors.contains("not empty"), "\(full)")
    for _ in 0..<2 {
      let restored = try scene.run(["snapshot", "restore", "first", copy])
      #expect(restored.end == .exit(0), "\(restored)")
      #expect(try scene.run(["start", copy, "--set", "fsync=off"]).end == .exit(0))
      #expect(try ask(copy, "SELECT a FROM t", scene) == "1")
      #expect(try scene.run(["stop", copy]).end == .exit(0))
      #expect(try scene.run(["drop", copy]).end == .exit(0))
    }

    let list = try scene.run(["snapshot", "list"])
    #expect(list.output.hasPrefix("first\tPostgreSQL "), "\(list)")
    let json = try scene.run(["snapshot", "list", "--json"])
    let parsed = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]]
    #expect(parsed?.first?["name"] as? String == "first")
    #expect(try scene.run(["snapshot", "drop", "first"]).end == .exit(0))
    #expect(try scene.run(["snapshot", "drop", "first"]).end == .exit(1))
    #expect(try scene.run(["snapshot", "drop", "--if-exists", "first"]).end == .exit(0))
    #expect(try scene.run(["snapshot", "list"]).output == "")
    let left = try FileManager.default.contentsOfDirectory(atPath: scene.home + "/home/snapshots")
    #expect(left == [])
    #expect(try scene.run(["drop", data]).end == .exit(0))
  }

  @Test("what a killed save has left is put in order by the next one")
  func killedSave() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    let data = scene.home + "/data"
    try make(data, scene)
    #expect(try scene.run(["snapshot", "save", "one", data]).end == .exit(0))
    let folder = scene.home + "/home/snapshots"
    let files = FileManager.default
    try files.moveItem(atPath: folder + "/one", toPath: folder + "/.old.one")
    try files.createDirectory(atPath: folder + "/.new-abc", withIntermediateDirectories: false)
    #expect(try scene.run(["snapshot", "save", "two", data]).end == .exit(0))
    #expect(try files.contentsOfDirectory(atPath: folder).sorted() == ["one", "two"])
    #expect(try scene.run(["snapshot", "restore", "one", scene.home + "/copy"]).end == .exit(0))
  }

  @Test("what is no snapshot, or no name of one, is said")
  func badSnapshots() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    let missing = try scene.run(["snapshot", "restore", "none", scene.home + "/x"])
    #expect(missing.end == .exit(1) && missing.errors.contains("no snapshot \"none\""))
    for name in ["../up", ".hidden", "a/b", "", String(repeating: "x", count: 101)] {
      let outcome = try scene.run(["snapshot", "save", "--", name, scene.home])
      #expect(outcome.end == .exit(1), "\(name): \(outcome)")
      #expect(outcome.errors.contains("cannot be a snapshot's name"), "\(name): \(outcome)")
    }
    let empty = try scene.run(["snapshot", "save", "good", scene.home])
    #expect(empty.end == .exit(1) && empty.errors.contains("no cluster in"))
  }

  @Test("a cluster with tablespaces is not saved by halves")
  func tablespaces() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    let data = scene.home + "/data"
    try make(data, scene)
    try FileManager.default.createSymbolicLink(
      atPath: data + "/pg_tblspc/16400", withDestinationPath: scene.home)
    let outcome = try scene.run(["snapshot", "save", "spaces", data])
    #expect(outcome.end == .exit(1) && outcome.errors.contains("tablespaces"), "\(outcome)")
    #expect(try scene.run(["snapshot", "list"]).output == "")
  }

  @Test("restart starts a server as it was started last, unless it is told otherwise")
  func restart() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    let data = scene.home + "/data"
    try make(data, scene)
    let settings = "SELECT current_setting('port') || ' ' || current_setting('work_mem')"
    let start = ["start", data, "--tcp", "--set", "fsync=off", "--set", "work_mem=7MB"]
    #expect(try scene.run(start).end == .exit(0))
    let before = try ask(data, settings, scene)
    #expect(before.hasSuffix(" 7MB"))
    #expect(try scene.run(["restart", data]).end == .exit(0))
    #expect(try ask(data, settings, scene) == before)
    #expect(try scene.run(["restart", data, "--set", "work_mem=9MB"]).end == .exit(0))
    #expect(try ask(data, settings, scene).hasSuffix(" 9MB"))
    #expect(try scene.run(["stop", data, "--mode", "immediate"]).end == .exit(0))
    #expect(try scene.run(["drop", data]).end == .exit(0))
  }

  @Test(
    "an empty directory is no directory, and never the working one",
    arguments: ["drop", "status", "start", "stop", "init", "url", "logs"])
  func emptyDirectory(verb: String) throws {
    let outcome = try BuiltProgram("pg-cluster").run([verb, ""])
    #expect(outcome.end == .exit(64) && outcome.errors.contains("''"), "\(outcome)")
  }

  @Test("gc removes the parts of a template that a killed maker has left")
  func partsOfTemplates() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    #expect(try scene.run(["gc"]).end == .exit(0))
    let folder = scene.home + "/home/templates"
    let files = FileManager.default
    try files.createDirectory(atPath: folder + "/part.new", withIntermediateDirectories: true)
    #expect(files.createFile(atPath: folder + "/part.lock", contents: nil))
    let trial = try scene.run(["gc", "--dry-run"])
    #expect(trial.errors.contains("would remove 1"), "\(trial)")
    #expect(try scene.run(["gc"]).end == .exit(0))
    #expect(try files.contentsOfDirectory(atPath: folder) == [])
  }

  @Test("db new copies a template of the files' contents, also for many at once")
  func databases() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    let folder = scene.home + "/migrations"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    func write(_ name: String, _ text: String) throws {
      try text.write(toFile: "\(folder)/\(name)", atomically: false, encoding: .utf8)
    }
    try write("1.sql", "CREATE TABLE made (a int);")
    try write("2.sql", "INSERT INTO made VALUES (7);")
    try write("notes.txt", "no SQL")
    let server = try TestServer.shared.get().iri()
    let new = ["db", "new", "--server", server, "--template-from", folder]
    var iris: Set<String> = []
    let programs = try (0..<4).map { _ in try scene.start(new) }
    for program in programs {
      let outcome = try program.wait()
      #expect(outcome.end == .exit(0), "\(outcome)")
      iris.insert(outcome.output.trimmingCharacters(in: .newlines))
    }
    #expect(iris.count == 4)
    for iri in iris {
      let answer = try pgOpen.run([iri, "--format", "raw", "SELECT a FROM made"])
      #expect(answer.output.trimmingCharacters(in: .newlines) == "7", "\(answer)")
    }
    let templates =
      "SELECT count(*) FROM pg_database WHERE datistemplate AND NOT datallowconn"
      + " AND datname LIKE 'pgkit\\_template\\_%'"
    #expect(try count(templates, server) == 1)

    try write("3.sql", "boom")
    let broken = try scene.run(new)
    #expect(broken.end != .exit(0) && broken.errors.contains("3.sql"), "\(broken)")
    #expect(try count(templates, server) == 1, "nothing is left of it")
    try write("3.sql", "UPDATE made SET a = 8;")
    let named = try scene.run(new + ["--name", "Keeping \"it\""])
    let iri = named.output.trimmingCharacters(in: .newlines)
    #expect(try pgOpen.run([iri, "--format", "raw", "TABLE made"]).output.contains("8"))
    let taken = try scene.run(new + ["--name", "Keeping \"it\""])
    #expect(taken.end == .exit(3) && taken.errors.contains("42P04"), "\(taken)")
    for iri in iris.union([iri]) {
      let name = try pgOpen.run([iri, "--format", "raw", "SELECT current_database()"]).output
      let dropped = try scene.run([
        "db", "drop", "--server", server, name.trimmingCharacters(in: .newlines),
      ])
      #expect(dropped.end == .exit(0), "\(dropped)")
    }
    let other = try scene.run(["db", "drop", "--server", server, "template1"])
    #expect(other.end == .exit(1) && other.errors.contains("left alone"), "\(other)")
    let gone = ["db", "drop", "--server", server, "no such database"]
    #expect(try scene.run(gone).end == .exit(3))
    #expect(try scene.run(gone + ["--if-exists"]).end == .exit(0))
    for _ in 0..<2 {
      _ = try pgOpen.run([
        server, "--gexec", "-c",
        "SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname) FROM pg_database"
          + " WHERE datname LIKE 'pgkit\\_template\\_%'"
          + " UNION ALL SELECT format('DROP DATABASE %I', datname) FROM pg_database"
          + " WHERE datname LIKE 'pgkit\\_template\\_%'",
      ])
    }
  }

  @Test(
    "db new has files copied where none is forced to the disk, by clones where the server knows those",
    arguments: TestServer.installations)
  func strategies(installation: Installation) throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    let file = scene.home + "/seed.sql"
    try "CREATE TABLE made AS SELECT 7 AS a".write(
      toFile: file, atomically: false, encoding: .utf8)
    for preset in [TemporaryCluster.Preset.test, .safe] {
      var options = TemporaryCluster.Options()
      options.preset = preset
      options.settings = [.init("log_statement", "all")]
      let temporary = try TemporaryCluster(installation: installation, options)
      defer { try? temporary.close() }
      let new = try scene.run(
        ["db", "new", "--server", temporary.iri(), "--template-from", file])
      #expect(new.end == .exit(0), "\(new.errors)")
      let made = new.output.trimmingCharacters(in: .newlines)
      #expect(try count("TABLE made", made) == 7)
      let log = try String(contentsOfFile: temporary.logFile, encoding: .utf8)
      let major = Int(installation.majorVersion) ?? 0
      #expect(log.contains("STRATEGY FILE_COPY") == (preset == .test && major >= 15))
      #expect(log.contains("file_copy_method = clone") == (preset == .test && major >= 18))
    }
  }

  private func count(_ sql: String, _ server: String) throws -> Int? {
    let answer = try pgOpen.run([server, "--format", "raw", sql])
    return Int(answer.output.trimmingCharacters(in: .newlines))
  }

  @Test("a seed's command runs once for its files, and its failure is told")
  func seedCommand() throws {
    let scene = try ClusterScene(countingInits: true)
    defer { scene.remove() }
    let (seed, runs) = (scene.home + "/seed.txt", scene.home + "/runs")
    try "one".write(toFile: seed, atomically: false, encoding: .utf8)
    let making = """
      echo run >>\(runs); echo to-stdout; \
      exec "\(pgOpen.path)" "$PGKIT_IRI" "CREATE TABLE made AS SELECT $(wc -c <\(seed)) AS a"
      """
    func run(_ command: String) throws -> BuiltProgram.Outcome {
      try scene.run([
        "run", "--pg", scene.programs, "--seed", seed, "--seed-cmd", command, "--", "sh", "-c",
        "\"\(pgOpen.path)\" \"$PGKIT_IRI\" --format raw 'TABLE made'",
      ])
    }
    for _ in 0..<2 {
      let outcome = try run(making)
      #expect(outcome.end == .exit(0) && outcome.output == "3\n", "\(outcome)")
    }
    func runCount() throws -> Int {
      try String(contentsOfFile: runs, encoding: .utf8).split(separator: "\n").count
    }
    #expect(try runCount() == 1)
    try "three".write(toFile: seed, atomically: false, encoding: .utf8)
    #expect(try run(making).output == "5\n")
    #expect(try runCount() == 2)
    #expect(try scene.initCount() == 1)
    let failed = try run("echo no luck; exit 9")
    #expect(failed.end == .exit(125), "\(failed)")
    #expect(failed.errors.contains("no luck") && failed.errors.contains("status 9"), "\(failed)")
    #expect(try scene.leftovers().isEmpty)
  }
}
