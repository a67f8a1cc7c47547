import Foundation
import PGCommandLine
import Testing

@Suite struct LineReaderTests {
  private let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "lines-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  private func file(_ text: String, _ name: String = "f") throws -> String {
    let path = folder.appending(path: name).path
    try Data(text.utf8).write(to: URL(filePath: path))
    return path
  }

  private func lines(_ text: String) throws -> [String] {
    let reader = try LineReader(try file(text), program: "p")
    var lines: [String] = []
    while let line = try reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
    return lines
  }

  @Test("gives whole lines, the last with or without its newline")
  func whole() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try lines("") == [])
    #expect(try lines("a\n\nb") == ["a\n", "\n", "b"])
    let long = String(repeating: "x", count: 600_000)
    #expect(try lines("\(long)\ny\n") == ["\(long)\n", "y\n"])
  }

  @Test("leaves out a byte order mark at the beginning, and only there")
  func mark() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try lines("\u{FEFF}\"a\"\n\u{FEFF}b\n") == ["\"a\"\n", "\u{FEFF}b\n"])
  }

  @Test("ends when nothing is wanted any more")
  func unwanted() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let reader = try LineReader(try file("a\n"), program: "p", while: { false })
    #expect(try reader.next() == nil)
  }

  @Test("one file is known by any of its names, and nothing else is taken for it")
  func same() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (first, second) = (try file("x", "a"), try file("x", "b"))
    let link = folder.appending(path: "l").path
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "a")
    #expect(OutputFile.isSameFile(first, link))
    #expect(!OutputFile.isSameFile(first, second))
    #expect(!OutputFile.isSameFile(first, folder.path + "/none"))
    #expect(!OutputFile.isSameFile("/dev/null", "/dev/null"))
  }

  @Test(
    "a name of an open descriptor is written behind what is there, and an unwritable one refused")
  func descriptor() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = try file("old\n")
    let handle = try FileHandle(forWritingTo: URL(filePath: path))
    try handle.seekToEnd()
    let output = try OutputFile("/dev/fd/\(handle.fileDescriptor)", program: "p")
    try output.output.write("new\n")
    try output.finish()
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "old\nnew\n")
    let reading = try FileHandle(forReadingFrom: URL(filePath: path))
    let name = "/proc/self/fd/\(reading.fileDescriptor)"
    #expect(throws: Failure.self) { () throws in _ = try OutputFile(name, program: "p") }
  }
}
