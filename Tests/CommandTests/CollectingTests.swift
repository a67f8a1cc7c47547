import Foundation
import Glibc
import PGTestCluster
import Testing

/// What `pg-cluster gc` leaves alone: whatever is not certainly a cluster that was made here.
@Suite(
  "pg-cluster gc", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct CollectingTests {
  private let files = FileManager.default
  private let scene: ClusterScene
  private var records: String { scene.home + "/home/throwaways" }

  init() throws {
    scene = try ClusterScene()
    // Makes the folder of the records.
    #expect(try scene.program.run(["list"], environment: scene.environment).end == .exit(0))
  }

  private func collect() throws -> BuiltProgram.Outcome {
    try scene.program.run(["gc"], environment: scene.environment)
  }

  /// A directory with something precious in it.
  private func precious(_ name: String) throws -> String {
    let path = "\(scene.home)/\(name)"
    try files.createDirectory(atPath: path, withIntermediateDirectories: false)
    try "x".write(toFile: path + "/precious", atomically: false, encoding: .utf8)
    return path
  }

  private func record(_ name: String, _ facts: String...) throws {
    try facts.map { $0 + "\n" }.joined().write(
      toFile: "\(records)/\(name)", atomically: false, encoding: .utf8)
  }

  private func hasRecord(_ name: String) -> Bool { files.fileExists(atPath: "\(records)/\(name)") }

  private func identity(_ path: String) throws -> [String] {
    var facts = stat()
    try #require(lstat(path, &facts) == 0)
    return ["device = '\(facts.st_dev)'", "inode = '\(facts.st_ino)'"]
  }

  @Test("leaves a directory alone that a record names and that nobody knows to be the one")
  func forged() throws {
    defer { scene.remove() }
    let (other, same) = (try precious("other"), try precious("pgkit-same"))
    try record("pgkit-forged", "directory = '\(other)'")
    let known = try identity(other)
    try record("pgkit-known", "directory = '\(other)'", known[0], known[1])
    try record("pgkit-same", "directory = '\(same)'", "owner = '\(geteuid())'")
    let outcome = try collect()
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("\(records)/pgkit-forged"))
    #expect(outcome.errors.contains("skipped \(same): "))
    for path in [other, same] { #expect(files.fileExists(atPath: path + "/precious")) }
    // A maker that was killed at once has left nothing in it.
    try files.removeItem(atPath: same + "/precious")
    try files.removeItem(atPath: "\(records)/pgkit-forged")
    try files.removeItem(atPath: "\(records)/pgkit-known")
    #expect(try collect().end == .exit(0))
    #expect(!files.fileExists(atPath: same) && !hasRecord("pgkit-same"))
  }

  @Test("takes no torn record for a whole one")
  func torn() throws {
    defer { scene.remove() }
    let path = try precious("pgkit-torn")
    let facts = try identity(path)
    let whole = "directory = '\(path)'\nmade = '1'\n\(facts[0])\n\(facts[1])"
    for length in stride(from: 0, to: whole.utf8.count - 1, by: 5) {
      try String(whole.prefix(length)).write(
        toFile: records + "/pgkit-torn", atomically: false, encoding: .utf8)
      _ = try collect()
      #expect(files.fileExists(atPath: path + "/precious"), "\(whole.prefix(length))")
    }
    try record("pgkit-torn", whole)
    #expect(try collect().end == .exit(0))
    #expect(!files.fileExists(atPath: path) && !hasRecord("pgkit-torn"))
  }

  @Test("leaves what took a cluster's place alone, a directory and a link")
  func replaced() throws {
    defer { scene.remove() }
    let path = try precious("pgkit-gone")
    let facts = try identity(path)
    try record("pgkit-gone", "directory = '\(path)'", facts[0], facts[1])
    try files.moveItem(atPath: path, toPath: path + "-aside")
    _ = try precious("pgkit-gone")
    #expect(try collect().errors.contains("left alone"))
    #expect(files.fileExists(atPath: path + "/precious"))
    try files.removeItem(atPath: path)
    try files.createSymbolicLink(atPath: path, withDestinationPath: path + "-aside")
    #expect(try collect().end == .exit(1))
    #expect(files.fileExists(atPath: path + "-aside/precious") && hasRecord("pgkit-gone"))
  }

  @Test("forgets a cluster only when its directory is not there, rather than not to be seen")
  func unseen() throws {
    defer { scene.remove() }
    let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
      .trimmingCharacters(in: .newlines)
    try record("pgkit-a", "directory = '/etc/passwd/pgkit-a'", "device = '1'", "inode = '1'")
    try record("pgkit-b", "directory = '/etc/passwd/pgkit-b'", "kept = 'yes'")
    try record("pgkit-c", "directory = '\(scene.home)/pgkit-c'", "origin = '\(boot) mnt:[1]'")
    try record("pgkit-d", "directory = '\(scene.home)/pgkit-d'", "origin = 'other mnt:[1]'")
    try record("pgkit-e", "directory = '\(scene.home)/pgkit-e'")
    let outcome = try collect()
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("other file systems"))
    #expect(["a", "b", "c", "d", "e"].filter { hasRecord("pgkit-\($0)") } == ["a", "b", "c"])
  }

  @Test("ends what is left of an abandoned command, and no other group of its number")
  func commands() throws {
    defer { scene.remove() }
    func sleeper(_ directory: String) throws -> RunningProgram {
      let process = try BuiltProgram(absolute: "/usr/bin/perl").start(
        ["-e", "setpgrp; exec @ARGV", "--", "/bin/sleep", "60"],
        environment: ["A": "B", "PGSERVICEFILE": directory + "/pg_service.conf"])
      for _ in 0..<500 where getpgid(process.process) != process.process { usleep(10_000) }
      return process
    }
    let paths = (try precious("pgkit-a"), try precious("pgkit-b"))
    let (command, other) = (try sleeper(paths.0), try sleeper(paths.1 + "-other"))
    for (path, process) in [(paths.0, command), (paths.1, other)] {
      let facts = try identity(path)
      let name = (path as NSString).lastPathComponent
      try record(
        name, "directory = '\(path)'", facts[0], facts[1], "command = '\(process.process)'")
    }
    #expect(try collect().end == .exit(0))
    #expect(!files.fileExists(atPath: paths.0) && !files.fileExists(atPath: paths.1))
    #expect(try command.wait().end == .signal(SIGTERM))
    #expect(other.isRunning)
    other.signal(SIGKILL)
    _ = try other.wait()
  }

  @Test("uses no home that somebody else could have chosen")
  func homes() throws {
    defer { scene.remove() }
    func list(_ home: String) throws -> BuiltProgram.Outcome {
      var environment = scene.environment
      environment["PGKIT_CLUSTER_HOME"] = home
      return try scene.program.run(["list"], environment: environment)
    }
    let (link, open) = (scene.home + "/link", scene.home + "/open")
    try files.createSymbolicLink(atPath: link, withDestinationPath: scene.home + "/home")
    #expect(try list(link).end == .exit(1))
    try files.createDirectory(atPath: open, withIntermediateDirectories: false)
    chmod(open, 0o777)
    let refused = try list(open + "/home")
    #expect(refused.end == .exit(1) && refused.errors.contains("\"\(open)\""), "\(refused)")
    chmod(open, 0o1777)
    #expect(try list(open + "/home").end == .exit(0))
    // The folder of the records is looked at as the home is.
    try files.moveItem(atPath: records, toPath: scene.home + "/elsewhere")
    try files.createSymbolicLink(atPath: records, withDestinationPath: scene.home + "/elsewhere")
    #expect(try list(scene.home + "/home").errors.contains(records))
  }

  @Test("a cluster that cannot be put on record as kept is not kept")
  func unkept() throws {
    defer { scene.remove() }
    let script = """
      prlimit --pid $PPID --fsize=$(stat -c %s "$0"/pgkit-*) && echo $PGHOST
      """
    let outcome = try BuiltProgram(absolute: "/usr/bin/perl").run(
      [
        "-e", "$SIG{XFSZ} = 'IGNORE'; exec @ARGV", "--", scene.program.path, "run", "--keep", "--",
        "sh", "-c", script, records,
      ], environment: scene.environment)
    #expect(outcome.errors.contains("could not keep the cluster"), "\(outcome)")
    #expect(outcome.end == .exit(125) && !outcome.errors.contains("kept in"))
    let directory = try #require(outcome.lines.first)
    for _ in 0..<200 where files.fileExists(atPath: String(directory)) { usleep(50_000) }
    #expect(!files.fileExists(atPath: String(directory)))
  }
}
