import Foundation
import Glibc
import PGTestCluster
import Testing

/// File systems that only one program sees.
private enum SmallFileSystem {
  static let unshare = BuiltProgram(absolute: "/usr/bin/unshare")

  static let canBeMounted: Bool = {
    let script = "mount -t tmpfs -o size=1m none /mnt"
    return (try? unshare.run(["--mount", "sh", "-c", script]))?.end == .exit(0)
  }()
}

/// What pg-cluster does and says where room is short: small file systems, mounted for one run each.
@Suite(
  "pg-cluster where room is short",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"),
  .enabled(if: SmallFileSystem.canBeMounted, "this user may not mount file systems"))
struct ScarcityTests {
  private let scene: ClusterScene

  init() throws { scene = try ClusterScene() }

  /// Runs pg-cluster where a file system in memory of that kind is mounted; what TMPDIR names lies there
  /// too if `place` is not what is shared.
  private func run(
    _ arguments: [String], mounting options: String, at place: String = "/dev/shm"
  ) throws -> BuiltProgram.Outcome {
    var environment = scene.environment
    if place != "/dev/shm" {
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      environment["TMPDIR"] = place
    }
    let script = "mount -t tmpfs -o \(options) none \(place) && exec \"$0\" \"$@\""
    return try SmallFileSystem.unshare.run(
      ["--mount", "sh", "-c", script, scene.program.path] + arguments, environment: environment)
  }

  /// A template is there, so that only copies need room.
  private func prepare() throws {
    #expect(try scene.run(["run", "--", "true"]).end == .exit(0))
  }

  @Test("goes to the disk when memory is small, says why, and refuses where memory is a must")
  func smallMemory() throws {
    defer { scene.remove() }
    let place = ["--", "sh", "-c", "echo $PGHOST"]
    let disk = try run(["run"] + place, mounting: "size=64m")
    #expect(disk.end == .exit(0) && !disk.output.hasPrefix("/dev/shm"), "\(disk)")
    #expect(disk.errors.contains("on disk, not in memory: /dev/shm has 64 MB free"), "\(disk)")
    let refused = try run(["run", "--storage", "memory"] + place, mounting: "size=64m")
    #expect(refused.end == .exit(125))
    #expect(
      refused.errors.contains("there is no room in memory") && refused.errors.contains("HINT"))
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("wants more memory for standbys")
  func standbysInMemory() throws {
    defer { scene.remove() }
    try prepare()
    let place = ["--storage", "memory", "--", "sh", "-c", "echo $PGHOST"]
    let one = try run(["run"] + place, mounting: "size=320m")
    #expect(one.end == .exit(0) && one.output.hasPrefix("/dev/shm/"), "\(one)")
    let many = try run(["run", "--standby", "4"] + place, mounting: "size=320m")
    #expect(many.end == .exit(125) && many.errors.contains("MB are wanted"), "\(many)")
  }

  @Test("warns when memory runs low")
  func lowMemory() throws {
    defer { scene.remove() }
    let outcome = try run(
      ["run", "--", "sh", "-c", "head -c 330m /dev/zero >$PGHOST/filler; sleep 2"],
      mounting: "size=400m")
    #expect(outcome.end == .exit(0))
    #expect(outcome.errors.contains("memory runs low: "), "\(outcome)")
    #expect(outcome.errors.contains("--storage disk has more room"))
  }

  @Test(
    "says how much room is left where a copy, or initdb, finds none",
    arguments: [[], ["--no-cache"]])
  func fullDisk(arguments: [String]) throws {
    defer { scene.remove() }
    try prepare()
    let outcome = try run(
      ["run", "--storage", "disk"] + arguments + ["--", "true"], mounting: "size=16m",
      at: scene.home + "/place")
    #expect(outcome.end == .exit(125))
    #expect(outcome.errors.contains("No space left on device"), "\(outcome)")
    #expect(outcome.errors.contains("MB are free where the data is"), "\(outcome)")
    #expect(try scene.leftovers().isEmpty)
  }

  @Test(
    "makes a cluster all the same where templates find no room, and says where that is and what to do",
    arguments: [[], ["--seed"]])
  func fullCache(options: [String]) throws {
    defer { scene.remove() }
    let home = scene.home + "/home"
    let seed = scene.home + "/seed.sql"
    try "CREATE TABLE t AS SELECT 1".write(toFile: seed, atomically: true, encoding: .utf8)
    let seeding = options.isEmpty ? [] : options + [seed]
    let outcome = try run(
      ["run"] + seeding + ["--", "sh", "-c", "echo $PGHOST"], mounting: "size=4m,mode=700",
      at: home)
    #expect(outcome.end == .exit(0), "\(outcome)")
    #expect(outcome.output.contains("/pgkit-"))
    #expect(outcome.errors.contains("nothing is kept for the next cluster: "), "\(outcome)")
    #expect(outcome.errors.contains("\(home)/templates/"))
    #expect(outcome.errors.contains("No space left on device"))
    #expect(outcome.errors.contains("name another directory in PGKIT_CLUSTER_HOME"))
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("says that there are no more files, rather than no more room")
  func noMoreFiles() throws {
    defer { scene.remove() }
    try prepare()
    let outcome = try run(
      ["run", "--storage", "disk", "--", "true"], mounting: "size=200m,nr_inodes=300",
      at: scene.home + "/place")
    #expect(outcome.end == .exit(125))
    #expect(outcome.errors.contains("more files can be made where the data is"), "\(outcome)")
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("a start that fails where little memory can be shared says so")
  func littleToShare() throws {
    defer { scene.remove() }
    let data = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    #expect(try scene.run(["init", data, "--no-sync"]).end == .exit(0))
    let outcome = try run(["start", data, "--set", "work_mem=nonsense"], mounting: "size=4m")
    #expect(outcome.end == .exit(1))
    #expect(outcome.errors.contains("/dev/shm has only 4 MB free"), "\(outcome)")
    #expect(outcome.errors.contains("dynamic_shared_memory_type=mmap"))
    #expect(try scene.run(["drop", data]).end == .exit(0))
  }
}
