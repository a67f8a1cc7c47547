import Foundation
import Testing

@testable import PGKit

/// System V shared memory of servers that were killed.
@Suite("Idle segments")
struct IdleSegmentTests {
  private let folder: DirectoryIdentity
  private let data: DirectoryIdentity

  init() throws {
    folder = try .makeUnique(under: "/tmp", owner: nil)
    data = try .make(folder.path + "/data", owner: nil)
  }

  /// A segment with the head that a server over `data` would write.
  private func segment(_ size: Int, magic: Int32 = 679_834_894) throws -> Int32 {
    let identifier = shmget(IPC_PRIVATE, size, IPC_CREAT | 0o600)
    try #require(identifier >= 0)
    let memory = try #require(shmat(identifier, nil, 0))
    memory.storeBytes(of: magic, toByteOffset: 0, as: Int32.self)
    memory.storeBytes(of: data.device, toByteOffset: 40, as: dev_t.self)
    memory.storeBytes(of: data.inode, toByteOffset: 48, as: ino_t.self)
    shmdt(memory)
    return identifier
  }

  private func status(_ identifier: Int32) -> shmid_ds? {
    var facts = shmid_ds()
    return shmctl(identifier, IPC_STAT, &facts) == 0 ? facts : nil
  }

  @Test("are removed when their heads or postmaster.pid say whose they are")
  func own() throws {
    defer { try? folder.remove() }
    let (small, named) = (try segment(56), try segment(1 << 20))
    try "1\n\(data.path)\n0\n5432\n/tmp\n\n  123  \(named)\nready\n".write(
      toFile: data.path + "/postmaster.pid", atomically: false, encoding: .utf8)
    folder.endResidents()
    #expect(status(small) == nil)
    #expect(status(named) == nil)
  }

  @Test("are not even attached to when they cannot be a cluster's")
  func foreign() throws {
    defer { try? folder.remove() }
    let large = shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0o600)
    let other = try segment(56, magic: 1)
    let others = geteuid() == 0 ? try segment(56) : -1
    defer { for identifier in [large, other, others] { shmctl(identifier, IPC_RMID, nil) } }
    if var facts = status(others) {
      facts.shm_perm.uid = 65_534
      #expect(shmctl(others, IPC_SET, &facts) == 0)
    }
    folder.endResidents()
    #expect(try #require(status(large)).shm_atime == 0)
    #expect(status(other) != nil)
    if others >= 0 { #expect(status(others) != nil) }
  }
}
