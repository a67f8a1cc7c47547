import Foundation
import Glibc
import Testing

/// What `--version` says of the commit, and how `scripts/stamp` puts that into programs.
@Suite("The commit in --version")
struct StampTests {
  private static let script = URL(filePath: #filePath)
    .appending(path: "../../../scripts/stamp").standardized.path
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func copy(_ name: String) throws -> String {
    let path = "\(folder.path)/\(name)"
    // Not by this process: a program that another test starts just then would hold it open for a moment.
    let copying = try BuiltProgram(absolute: "/bin/cp").run([BuiltProgram(name).path, path])
    #expect(copying.end == .exit(0))
    return path
  }

  private func stamp(
    _ path: String, commit: String?, script: String = Self.script
  ) throws -> BuiltProgram.Outcome {
    var environment = BuiltProgram.ownEnvironment
    environment["COMMIT"] = commit
    return try BuiltProgram(absolute: script).run([path], environment: environment)
  }

  private func version(_ path: String) throws -> String {
    try BuiltProgram(absolute: path).run(["--version"]).output
  }

  @Test(
    "every program says the commit that was written into it",
    arguments: ["pg-open", "pg-copy", "pg-cluster", "pg-errcode", "pg-listen"])
  func everyProgram(name: String) throws {
    let path = try copy(name)
    #expect(try stamp(path, commit: "").end == .exit(0))
    let plain = try version(path)
    #expect(plain.hasPrefix("\(name) (PGKit) ") && !plain.hasSuffix(")\n"))
    #expect(try stamp(path, commit: "0123456789ab+").end == .exit(0))
    #expect(try version(path) == plain.dropLast() + " (0123456789ab+)\n")
  }

  @Test("nothing else of the program changes, nor its time")
  func inPlace() throws {
    let path = try copy("pg-errcode")
    #expect(try stamp(path, commit: "").end == .exit(0))
    let time = Date(timeIntervalSince1970: 1_700_000_000.25)
    try FileManager.default.setAttributes([.modificationDate: time], ofItemAtPath: path)
    let before = try FileManager.default.attributesOfItem(atPath: path)
    let bytes = try Data(contentsOf: URL(filePath: path))
    for commit in ["0123456789abcdef0123456789abcdef", "1", ""] {
      #expect(try stamp(path, commit: commit).end == .exit(0))
      let after = try FileManager.default.attributesOfItem(atPath: path)
      for key in [FileAttributeKey.systemFileNumber, .size, .modificationDate] {
        #expect(before[key] as? NSObject == after[key] as? NSObject, "\(key)")
      }
    }
    #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
  }

  @Test("a program that runs just then is replaced, and goes on as it was")
  func runs() throws {
    let path = try copy("pg-errcode")
    let running = try BuiltProgram(absolute: path).start(["-"], input: .open)
    #expect(try stamp(path, commit: "0123456789ab").end == .exit(0))
    #expect(try version(path).hasSuffix(" (0123456789ab)\n"))
    running.send("23505\n")
    try running.waitForOutput("UniqueError")
    running.signal(SIGTERM)
    #expect(try running.wait().end == .signal(SIGTERM))
  }

  @Test("the name is that of the checkout's commit, with a plus if sources differ from it")
  func checkout() throws {
    let path = try copy("pg-errcode")
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/tree/scripts", withIntermediateDirectories: true)
    let script = "\(folder.path)/tree/scripts/stamp"
    try FileManager.default.copyItem(atPath: Self.script, toPath: script)
    let source = try folder.write("let answer = 42\n", to: "tree/Sources/answer.swift")
    #expect(try stamp(path, commit: nil, script: script).end == .exit(0))
    let plain = try version(path)

    let git = BuiltProgram(absolute: "/usr/bin/env")
    let words = ["git", "-C", "\(folder.path)/tree", "-c", "user.name=n", "-c", "user.email=n@x"]
    for command in [["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]] {
      #expect(try git.run(words + command).end == .exit(0))
    }
    let commit = try git.run(words + ["rev-parse", "--short=12", "HEAD"]).output.dropLast()
    #expect(try stamp(path, commit: nil, script: script).end == .exit(0))
    #expect(try version(path) == plain.dropLast() + " (\(commit))\n")

    try "let answer = 43\n".write(toFile: source, atomically: true, encoding: .utf8)
    #expect(try stamp(path, commit: nil, script: script).end == .exit(0))
    #expect(try version(path) == plain.dropLast() + " (\(commit)+)\n")
  }

  @Test("what is no program, and what is no name, are errors that say so")
  func errors() throws {
    let path = try folder.write("no program")
    let noPlace = try stamp(path, commit: "1")
    #expect(noPlace.end == .exit(1))
    #expect(noPlace.errors.contains("\(path) has no place for a commit"))
    let noName = try stamp(path, commit: "a.b")
    #expect(noName.end == .exit(1))
    #expect(noName.errors.contains("\"a.b\" is no name of a commit"))
  }
}
