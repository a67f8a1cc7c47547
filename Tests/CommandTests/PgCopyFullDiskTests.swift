import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// File systems with little room, mounted for one test each.
private enum SmallDisk {
  static let mount = BuiltProgram(absolute: "/usr/bin/mount")
  static let umount = BuiltProgram(absolute: "/usr/bin/umount")

  static let canBeMounted: Bool = {
    let place = FileManager.default.temporaryDirectory.appending(path: "pgkit-\(getpid())").path
    guard (try? make(place, owner: 0)) != nil else { return false }
    remove(place)
    return true
  }()

  static func make(_ place: String, owner: UInt32) throws {
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    let outcome = try mount.run(["-t", "tmpfs", "-o", "size=2m", "none", place])
    guard outcome.end == .exit(0) else { throw BuiltProgram.Fault(description: outcome.errors) }
    chown(place, owner, owner)
  }

  static func remove(_ place: String) {
    _ = try? umount.run(["-l", place])
    rmdir(place)
  }
}

@Suite(
  "pg-copy where a disk is full",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"),
  .enabled(if: SmallDisk.canBeMounted, "this user may not mount file systems"))
struct PgCopyFullDiskTests {
  @Test("a file that does not find room is not there, and the other receivers have nothing")
  func localDisk() throws {
    let scene = try CopyFixture(rowCount: 100_000)
    let place = FileManager.default.temporaryDirectory.appending(path: scene.name).path
    try SmallDisk.make(place, owner: geteuid())
    defer { SmallDisk.remove(place) }
    let outcome = try scene.copy(
      scene.to(1) + ["--to", "\(place)/rows", "--summary", "json"],
      "SELECT id, repeat('x', 100) FROM \(scene.name)")
    #expect(outcome.end == .exit(1), "\(outcome.errors)")
    #expect(outcome.errors.contains("\(place)/rows: No space left on device"), "\(outcome.errors)")
    #expect(try CopySummary(outcome).statuses == ["rolled_back", "rolled_back"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: place).isEmpty)
    #expect(try scene.rows(1) == 0)
    // The file of rows that were refused, too: without it nothing is stored.
    try scene.db.execute("ALTER TABLE \(scene.name)_1 ADD CHECK (id % 2 = 0)")
    let rejecting = try scene.copy(
      scene.to(1) + ["--rejects", "\(place)/rejects", "--max-rejects", "100000"],
      "SELECT id, repeat('x', 2000) FROM \(scene.name) WHERE id < 8000")
    #expect(rejecting.end == .exit(1), "\(rejecting.errors)")
    #expect(rejecting.errors.contains("No space left on device"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: place).isEmpty)
    #expect(try scene.rows(1) == 0)
  }

  @Test("the receiver on it has nothing, the others have all rows, and the status says so")
  func fullDisk() throws {
    let cluster = try CopyCluster()
    defer { cluster.close() }
    let scene = try CopyFixture(iri: try cluster.iri(), rowCount: 100_000)
    let directory = try #require(
      try scene.ask("SELECT current_setting('data_directory')", as: String.self))
    var status = stat()
    stat(directory, &status)
    let place = FileManager.default.temporaryDirectory.appending(path: scene.name).path
    try SmallDisk.make(place, owner: status.st_uid)
    defer { SmallDisk.remove(place) }
    try scene.db.execute("CREATE TABLESPACE small LOCATION '\(place)'")
    try scene.db.execute("ALTER TABLE \(scene.name)_2 SET TABLESPACE small")
    let outcome = try scene.copy(
      scene.to(1) + scene.to(2) + scene.to(3) + ["--summary", "json"])
    #expect(outcome.end == .exit(5), "\(outcome.errors)")
    let summary = try scene.summary(outcome)
    #expect(summary.statuses == ["committed", "rolled_back", "committed"])
    #expect(summary.receivers[1].sqlstate == "53100")
    #expect(try scene.isEqual(1))
    #expect(try scene.rows(2) == 0)
    #expect(try scene.isEqual(3))
    try scene.db.execute("DROP TABLE \(scene.name)_2")
    try scene.db.execute("DROP TABLESPACE small")
  }
}
