import Foundation
import Testing

@testable import PGKit

@Suite("DirectoryCopy")
struct DirectoryCopyTests {
  private let files = FileManager.default
  private let folder: DirectoryIdentity
  private var source: String { folder.path + "/source" }
  private var pack: String { folder.path + "/pack" }

  init() throws {
    folder = try .makeUnique(under: "/tmp", owner: nil)
    try files.createDirectory(atPath: source + "/a/b", withIntermediateDirectories: true)
    try files.createDirectory(atPath: source + "/c", withIntermediateDirectories: true)
    for name in ["one", "a/two", "a/b/three", "c/four"] { try write("\(source)/\(name)", name) }
  }

  private func write(_ path: String, _ text: String) throws {
    try text.write(toFile: path, atomically: false, encoding: .utf8)
  }

  private func place(_ name: String) throws -> String {
    try DirectoryIdentity.make("\(folder.path)/\(name)", owner: nil).path
  }

  private func unpack(_ bytes: [UInt8], to destination: String) throws(PGError) {
    do { try OpenFile.create(pack, bytes) } catch { throw .cluster("no pack", error) }
    try DirectoryCopy(source: pack, destination: destination, owner: nil).unpack()
  }

  /// One entry, as `pack.c` has it.
  private func entry(_ name: String, _ text: String?) -> [UInt8] {
    func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
      withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }
    let contents = Array((text ?? "").utf8)
    return bytes(UInt32(0x5047_504B)) + bytes(UInt32(0o600)) + bytes(UInt32(name.utf8.count + 1))
      + bytes(UInt32(text == nil ? 1 : 0)) + bytes(UInt64(contents.count))
      + bytes(UInt64(contents.count)) + Array(name.utf8) + [0] + contents
  }

  @Test("unpacks what was packed")
  func whole() throws {
    defer { try? folder.remove() }
    try DirectoryCopy(source: source, destination: pack, owner: nil).pack()
    let copy = try place("copy")
    try DirectoryCopy(source: pack, destination: copy, owner: nil).unpack()
    for name in ["one", "a/two", "a/b/three", "c/four"] {
      #expect(try String(contentsOfFile: "\(copy)/\(name)", encoding: .utf8) == name)
    }
    try unpack(entry("d", nil) + entry("d/e", "x"), to: place("made"))
    #expect(files.fileExists(atPath: folder.path + "/made/d/e"))
  }

  @Test("leaves out what is not wanted, and everything in a directory that is to be empty")
  func parts() throws {
    defer { try? folder.remove() }
    try write(source + "/a/two_fsm", "map")
    try DirectoryCopy(source: source, destination: pack, owner: nil)
      .pack(hollow: "c", unwanted: "_fsm")
    let (unpacked, copied) = (try place("unpacked"), try place("copied"))
    try DirectoryCopy(source: pack, destination: unpacked, owner: nil).unpack()
    try DirectoryCopy(source: source, destination: copied, owner: nil)
      .copy(hollow: "c", unwanted: "_fsm")
    for copy in [unpacked, copied] {
      let names = try files.subpathsOfDirectory(atPath: copy).sorted()
      #expect(names == ["a", "a/b", "a/b/three", "a/two", "c", "one"])
    }
  }

  @Test("keeps zeros wherever they are in a file", arguments: [1, 4095, 4096, 4097, 8192, 24_576])
  func zeros(size: Int) throws {
    defer { try? folder.remove() }
    var texts = [[UInt8](repeating: 0, count: size)]
    for length in [1, size / 2, size - 1, size] where length > 0 {
      texts.append([UInt8](repeating: 7, count: length) + texts[0].dropFirst(length))
    }
    for (index, text) in texts.enumerated() {
      try OpenFile.create("\(source)/\(index)", text)
    }
    try DirectoryCopy(source: source, destination: pack, owner: nil).pack()
    let copy = try place("copy")
    try DirectoryCopy(source: pack, destination: copy, owner: nil).unpack()
    for (index, text) in texts.enumerated() {
      let found = try Data(contentsOf: URL(filePath: "\(copy)/\(index)"))
      #expect(Array(found) == text, "\(index)")
    }
  }

  @Test("refuses a pack that is cut short anywhere but between entries, or whose heads are damaged")
  func damaged() throws {
    defer { try? folder.remove() }
    let one = entry("name", "contents")
    let whole = one + entry("other", "")
    for length in 0..<whole.count {
      let path = try place("cut\(length)")
      let isWhole = length == 0 || length == one.count
      if isWhole {
        try unpack(Array(whole[..<length]), to: path)
      } else {
        #expect(throws: PGError.self, "\(length)") { () throws in
          try unpack(Array(whole[..<length]), to: path)
        }
      }
    }
    // Lengths that lead out of the file, and every other byte of the heads: never out of the place.
    for position in 0..<32 {
      for value: UInt8 in [0x7F, 0xFF] {
        var bytes = whole
        bytes[position] = value
        let path = try place("bad\(position)-\(value)")
        try? unpack(bytes, to: path)
      }
    }
    let expected = Set(
      try files.contentsOfDirectory(atPath: folder.path).filter {
        !$0.hasPrefix("cut") && !$0.hasPrefix("bad")
      })
    #expect(expected == ["source", "pack"])
  }

  @Test(
    "refuses names that lead out of the place",
    arguments: ["../out", "..", ".", "/tmp/pgkit-out", "a/../../out", "", "a//b", "a/", "link/out"])
  func outside(name: String) throws {
    defer { try? folder.remove() }
    let path = try place("place")
    let other = try place("other")
    try files.createSymbolicLink(atPath: path + "/link", withDestinationPath: other)
    #expect(throws: PGError.self) { () throws in
      try unpack(entry("a", nil) + entry(name, "x"), to: path)
    }
    #expect(
      try files.contentsOfDirectory(atPath: folder.path).sorted()
        == ["other", "pack", "place", "source"])
    #expect(try files.contentsOfDirectory(atPath: other).isEmpty)
    #expect(!files.fileExists(atPath: "/tmp/pgkit-out"))
  }

  @Test(
    "gives nothing away through a link, wherever in the path it stands",
    .enabled(if: geteuid() == 0, "the tests do not run as root"))
  func linkedParent() throws {
    defer { try? folder.remove() }
    let user = try #require(ServerUser(named: "nobody"))
    let real = try place("real")
    _ = try place("real/data")
    let link = folder.path + "/link"
    try files.createSymbolicLink(atPath: link, withDestinationPath: real)
    try DirectoryCopy(source: source, destination: pack, owner: nil).pack()
    let data = link + "/data"
    #expect(throws: PGError.self) { () throws in
      try DirectoryCopy(source: pack, destination: data, owner: user).unpack()
    }
    #expect(throws: PGError.self) { () throws in
      try DirectoryCopy(source: source, destination: data, owner: user).copy()
    }
    #expect(throws: SystemError.self) { () throws in
      try OpenFile.create(data + "/file", owner: user, [1])
    }
    #expect(try files.contentsOfDirectory(atPath: real + "/data").isEmpty)
    try DirectoryCopy(source: pack, destination: real + "/data", owner: user).unpack()
    let owner = try files.attributesOfItem(atPath: real + "/data/a/b/three")[.ownerAccountID]
    #expect(owner as? UInt32 == user.userID)
    // The same where the place is the user's own, who then makes the files.
    let own = try DirectoryIdentity.make(folder.path + "/own", owner: user).path
    try DirectoryCopy(source: pack, destination: own, owner: user).unpack()
    for name in ["a", "a/b/three", "one"] {
      let facts = try files.attributesOfItem(atPath: "\(own)/\(name)")
      #expect(facts[.ownerAccountID] as? UInt32 == user.userID)
      #expect(facts[.groupOwnerAccountID] as? UInt32 == user.groupID)
    }
    // Whoever made it is again who it was.
    try write(folder.path + "/after", "mine")
    let after = try files.attributesOfItem(atPath: folder.path + "/after")[.ownerAccountID]
    #expect(after as? UInt32 == geteuid())
  }

  @Test("a file that is given away never empties what stood in its place")
  func replacedFile() throws {
    defer { try? folder.remove() }
    let precious = folder.path + "/precious"
    try write(precious, "precious")
    #expect(link(precious, folder.path + "/file") == 0)
    try OpenFile.create(folder.path + "/file", owner: nil, [1])
    #expect(try String(contentsOfFile: precious, encoding: .utf8) == "precious")
  }
}
