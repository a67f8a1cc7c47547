import Foundation
import Testing

@testable import PGKit

@Suite("DirectoryIdentity")
struct DirectoryIdentityTests {
  private let files = FileManager.default
  private let folder: DirectoryIdentity

  init() throws { folder = try .makeUnique(under: "/tmp", owner: nil) }

  private func write(_ path: String) throws {
    try "x".write(toFile: path, atomically: false, encoding: .utf8)
  }

  @Test("makes a directory that only its owner may enter, and removes all that is in it")
  func removesAll() throws {
    let mode = try files.attributesOfItem(atPath: folder.path)[.posixPermissions] as? Int
    #expect(mode == 0o700)
    for number in 0..<1000 { try write("\(folder.path)/\(number)") }
    try files.createDirectory(
      atPath: folder.path + "/a/b/c/d", withIntermediateDirectories: true)
    try write(folder.path + "/a/b/c/d/e")
    try folder.remove()
    #expect(!folder.isThere)
    #expect(!files.fileExists(atPath: folder.path))
    // Gone already is as good.
    try folder.remove()
  }

  @Test("leaves off in time, and goes on later")
  func bounded() throws {
    for number in 0..<2000 { try write("\(folder.path)/\(number)") }
    let error = #expect(throws: PGError.self) { try folder.remove(until: .after(.milliseconds(1))) }
    #expect((error?.cause as? SystemError)?.number == ETIMEDOUT)
    #expect(folder.isThere)
    #expect(throws: PGError.self) { try folder.removePatiently(until: .after(.zero)) }
    try folder.removePatiently()
    #expect(!folder.isThere)
  }

  @Test("makes a directory apart as any other, and none where there is one, or through a link")
  func apart() throws {
    defer { try? files.removeItem(atPath: folder.path) }
    let path = folder.path + "/data"
    let made = try DirectoryIdentity.makeApart(path, owner: nil)
    #expect(made.isThere)
    #expect(try files.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o700)
    let error = #expect(throws: PGError.self) { try DirectoryIdentity.makeApart(path, owner: nil) }
    #expect((error?.cause as? SystemError)?.number == EEXIST)
    try files.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: path)
    #expect(throws: PGError.self) {
      try DirectoryIdentity.makeApart(folder.path + "/link/x", owner: nil)
    }
    #expect(try files.contentsOfDirectory(atPath: folder.path).sorted() == ["data", "link"])
  }

  @Test("follows no link")
  func links() throws {
    let other = try DirectoryIdentity.makeUnique(under: "/tmp", owner: nil)
    defer { try? files.removeItem(atPath: other.path) }
    try write(other.path + "/kept")
    try files.createSymbolicLink(
      atPath: folder.path + "/link", withDestinationPath: other.path)
    try files.createSymbolicLink(
      atPath: folder.path + "/file", withDestinationPath: other.path + "/kept")
    try folder.remove()
    #expect(!files.fileExists(atPath: folder.path))
    #expect(files.fileExists(atPath: other.path + "/kept"))
  }

  @Test("leaves a directory alone that took the place of the one that was made")
  func replaced() throws {
    let aside = folder.path + "-aside"
    try files.moveItem(atPath: folder.path, toPath: aside)
    defer { for path in [folder.path, aside] { try? files.removeItem(atPath: path) } }
    try files.createDirectory(atPath: folder.path, withIntermediateDirectories: false)
    try write(folder.path + "/precious")
    let error = #expect(throws: PGError.self) { try folder.remove() }
    #expect(error?.message.contains("left alone") == true)
    #expect(files.fileExists(atPath: folder.path + "/precious"))
    try files.removeItem(atPath: folder.path)
    try files.createSymbolicLink(atPath: folder.path, withDestinationPath: aside)
    try write(aside + "/precious")
    #expect(throws: PGError.self) { try folder.remove() }
    #expect(files.fileExists(atPath: aside + "/precious"))
  }

  @Test("gives up on a tree that no cluster has, and says so")
  func tooDeep() throws {
    defer { try? files.removeItem(atPath: folder.path) }
    let deep = folder.path + String(repeating: "/d", count: 100)
    try files.createDirectory(atPath: deep, withIntermediateDirectories: true)
    #expect(throws: PGError.self) { try folder.remove() }
    #expect(folder.isThere)
  }
}
