import Foundation
import Testing

@testable import PGKit

@Suite("SocketDirectory")
struct SocketDirectoryTests {
  @Test("accepts a path up to the last byte that a socket's address has, and says so beyond")
  func length() throws {
    let longest = SocketDirectory.longestPath - "/.s.PGSQL.65535".utf8.count
    let fitting = "/" + String(repeating: "x", count: longest - 1)
    try SocketDirectory.checkLength(fitting)
    let error = #expect(throws: PGError.self) { try SocketDirectory.checkLength(fitting + "x") }
    #expect(error?.message.contains("\(longest)") == true)
    // Bytes count, not characters.
    let wide = "/" + String(repeating: "é", count: longest / 2)
    #expect(throws: PGError.self) { try SocketDirectory.checkLength(wide + "x") }
  }

  @Test("makes a cluster's directory once, and removes no other, whatever it is called")
  func ownDirectory() throws {
    let data = try DirectoryIdentity.makeUnique(under: "/tmp", owner: nil)
    defer { try? data.remove() }
    let name = try SocketDirectory.name(for: data.path)
    let made = try SocketDirectory.make(for: data.path, user: nil)
    #expect(made.path.hasSuffix("/" + name))
    #expect(try SocketDirectory.make(for: data.path, user: nil) == made)
    let chosen = try DirectoryIdentity.makeUnique(under: "/tmp", owner: nil)
    defer { try? chosen.remove() }
    for directory in [made, chosen] {
      SocketDirectory.removeIfEmpty(directory.path, of: nil)
      SocketDirectory.removeIfEmpty(directory.path, of: "pgkit-1-2")
      #expect(directory.isThere)
      SocketDirectory.removeIfEmpty(directory.path, of: name)
    }
    #expect(!made.isThere)
    #expect(chosen.isThere)
  }

  @Test("leaves a directory alone that others may enter, and takes the next name")
  func taken() throws {
    let data = try DirectoryIdentity.makeUnique(under: "/tmp", owner: nil)
    defer { try? data.remove() }
    let first = try SocketDirectory.make(for: data.path, user: nil)
    chmod(first.path, 0o755)
    let second = try SocketDirectory.make(for: data.path, user: nil)
    #expect(second.path == first.path + "-1")
    let name = try SocketDirectory.name(for: data.path)
    #expect(FileManager.default.createFile(atPath: second.path + "/.s.PGSQL.1", contents: nil))
    SocketDirectory.removeLeftovers(in: second.path, of: name, port: 1)
    SocketDirectory.removeIfEmpty(first.path, of: name)
    #expect(!second.isThere && !first.isThere)
  }
}
