import Foundation
import Testing

@testable import PGKit

@Suite("ConfigurationFile")
struct ConfigurationFileTests {
  @Test("leaves what it does not change as it is, to the byte")
  func untouched() throws {
    let bytes: [UInt8] = Array("# caf".utf8) + [0xE9, 0x0D, 0x0A] + Array("a.b = 1\r\n\n#c=2".utf8)
    var file = ConfigurationFile(bytes: bytes)
    #expect(file.bytes == bytes)
    #expect(file["A.B"] == "1")
    file["x"] = "y"
    #expect(file.bytes == bytes + Array("\nx = 'y'".utf8))
    file["a.b"] = "2"
    #expect(file.bytes[..<8] == bytes[..<8])
    #expect(file.text.contains("a.b = '2'\r\n\n"))
  }

  @Test(
    "what is written is read again",
    arguments: ["", "it's", "a\\b", "\\'", "two\nlines", "#x", " "])
  func roundTrip(value: String) {
    var file = ConfigurationFile(parsing: "other = 1\n")
    file["some.name"] = value
    #expect(ConfigurationFile(parsing: file.text)["SOME.NAME"] == value)
    file["some.name"] = nil
    #expect(file["some.name"] == nil)
    #expect(file["other"] == "1")
  }

  @Test("understands the server's escapes")
  func escapes() {
    let file = ConfigurationFile(parsing: #"a = 'x\'y\\z\101\t''q'"#)
    #expect(file["a"] == "x'y\\zA\t'q")
  }

  @Test("takes no instruction to include for a setting")
  func inclusions() {
    let text = "include 'x.conf'\ninclude_dir = 'd'\ninclude_if_exists 'y'\nport 5433\n"
    let file = ConfigurationFile(parsing: text)
    #expect(file.settings.map(\.name) == ["port"])
    #expect(file["port"] == "5433")
  }

  @Test("is written whole, with the old file's permissions, through a link")
  func writing() throws {
    let folder = try ScratchFolder()
    let path = folder.path + "/a.conf"
    try "x = 1".write(toFile: path, atomically: false, encoding: .utf8)
    chmod(path, 0o640)
    symlink(path, folder.path + "/link")
    var file = try ConfigurationFile(reading: folder.path + "/link")
    file["x"] = "2"
    try file.write(to: folder.path + "/link")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "x = '2'\n")
    #expect(try FileStatus(of: path).permissions == 0o640)
    #expect(try FileStatus(of: folder.path + "/link", followingLinks: false).isLink)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
    #expect(throws: PGError.self) { try file.write(to: folder.path + "/no/such/file") }
    #expect(throws: PGError.self) { try ConfigurationFile(reading: folder.path + "/none") }
  }

  @Test("nothing in a file makes it fail")
  func adversity() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("a=#'\\ \t\n\r\0".utf8)
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0...24, using: &generator)).map { _ in
        alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
      }
      var file = ConfigurationFile(bytes: bytes)
      #expect(file.bytes == bytes)
      file["a"] = "v"
      #expect(file["a"] == "v", "\(bytes)")
      file["a"] = nil
      #expect(file["a"] == nil, "\(bytes)")
    }
  }
}
