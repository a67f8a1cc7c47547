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
  private func segment(
    _ size: Int, magic: Int32 = 679_834_894, list: UInt32 = 0
  ) throws -> Int32 {
    let identifier = shmget(IPC_PRIVATE, size, IPC_CREAT | 0o600)
    try #require(identifier >= 0)
    let memory = try #require(shmat(identifier, nil, 0))
    memory.storeBytes(of: magic, toByteOffset: 0, as: Int32.self)
    memory.storeBytes(of: list, toByteOffset: 24, as: UInt32.self)
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

  // MARK: Dynamic segments

  private func path(_ handle: UInt32) -> String { "/dev/shm/PostgreSQL.\(handle)" }

  private func isThere(_ handle: UInt32) -> Bool {
    FileManager.default.fileExists(atPath: path(handle))
  }

  /// A segment with a handle that no server has, in which there are these words.
  private func dynamicSegment(odd: UInt32 = 0, _ words: [UInt32] = [7]) throws -> UInt32 {
    while true {
      let handle = UInt32.random(in: 2...UInt32.max / 2) * 2 + odd
      let file = open(path(handle), O_RDWR | O_CREAT | O_EXCL, 0o600)
      guard file >= 0 else { continue }
      defer { close(file) }
      let count = words.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
      try #require(count == words.count * 4)
      return handle
    }
  }

  /// A list of segments, each with how often it is used, as servers since 14 have it, with room for
  /// one more.
  private func list(
    _ items: [(handle: UInt32, uses: UInt32)], magic: UInt32 = 0x9A50_3D32
  ) throws -> UInt32 {
    let words = items.flatMap { [$0.handle, $0.uses] + [UInt32](repeating: 0, count: 8) }
    return try dynamicSegment(
      [magic, UInt32(items.count), UInt32(items.count) + 1, 0] + words
        + [UInt32](repeating: 0, count: 10))
  }

  @Test("lead to dynamic segments, which go with them")
  func dynamic() throws {
    defer { try? folder.remove() }
    let handles = try (0..<3).map { _ in try dynamicSegment() }
    let unused = try dynamicSegment()
    let odd = try dynamicSegment(odd: 1)
    defer { for handle in [unused, odd] { unlink(path(handle)) } }
    var items: [(handle: UInt32, uses: UInt32)] = handles.map { (handle: $0, uses: 2) }
    items += [(unused, 0), (odd, 2)]
    let list = try list(items)
    let first = try segment(56, list: list)
    folder.endResidents()
    #expect(!handles.contains { isThere($0) } && !isThere(list))
    #expect(isThere(unused) && isThere(odd), "the list does not say that they are its own")
    #expect(status(first) == nil)
  }

  @Test("take no dynamic segment with them that somebody has mapped, or that is somebody else's")
  func foreignDynamic() throws {
    defer { try? folder.remove() }
    let (mapped, own, foreign) = (
      try dynamicSegment(), try dynamicSegment(), try dynamicSegment()
    )
    defer { for handle in [mapped, own, foreign] { unlink(path(handle)) } }
    let file = open(path(mapped), O_RDWR)
    let memory = mmap(nil, 4, PROT_READ, MAP_SHARED, file, 0)
    close(file)
    defer { munmap(memory, 4) }
    if geteuid() == 0 { #expect(chown(path(foreign), 65_534, 65_534) == 0) }
    var items: [(handle: UInt32, uses: UInt32)] = [(mapped, 2), (own, 2)]
    if geteuid() == 0 { items.append((foreign, 2)) }
    let list = try list(items)
    _ = try segment(56, list: list)
    folder.endResidents()
    #expect(isThere(mapped) && isThere(foreign))
    #expect(!isThere(own) && !isThere(list))
  }

  @Test("believe no list that is none, and no head that is in use")
  func noList() throws {
    defer { try? folder.remove() }
    let segments = try (0..<4).map { _ in try dynamicSegment() }
    let wrongMagic = try list([(segments[0], 2)], magic: 1)
    let wrongSize = try dynamicSegment([0x9A50_3D32, 1, 3, 0, segments[1], 2, 0, 0])
    let tooMany = try dynamicSegment([0x9A50_3D32, 9, 1, 0, segments[2], 2, 0, 0, 0, 0, 0, 0, 0, 0])
    let inUse = try list([(segments[3], 2)])
    let lists = [wrongMagic, wrongSize, tooMany, inUse]
    defer { for handle in segments + lists { unlink(path(handle)) } }
    for list in [wrongMagic, wrongSize, tooMany] { _ = try segment(56, list: list) }
    let used = try segment(56, list: inUse)
    let memory = shmat(used, nil, SHM_RDONLY)
    folder.endResidents()
    #expect(!(segments + lists).contains { !isThere($0) })
    #expect(status(used) != nil)
    shmdt(memory)
    folder.endResidents()
    #expect(status(used) == nil && !isThere(inUse) && !isThere(segments[3]))
  }
}
