import ArgumentParser
import Foundation
import PGCommandLine
import PGConnecting
import Testing

@Suite struct ConnectionFlagsTests {
  private func taken(
    _ flags: [String], _ operands: [String]
  ) throws -> (iri: String?, rest: [String]) {
    var rest = operands
    let iri = try ConnectionFlags.parse(flags).takeIRI(from: &rest, program: "p")
    return (iri, rest)
  }

  @Test(
    "the first operand is the IRI, unless flags name the place and it does not look like one",
    arguments: [
      ([], ["pq://h/d", "SELECT 1"], "pq://h/d", 1), ([], ["host=h", "SELECT 1"], "host=h", 1),
      ([], ["name"], "name", 0), (["--host", "h"], ["SELECT 1"], nil, 1),
      (["--dbname", "d"], ["SELECT 1 = 1"], nil, 1),
      (["--user", "u"], ["postgres://h", "SELECT 1"], "postgres://h", 1),
      (["--port", "1"], ["dbname=d", "SELECT 1"], "dbname=d", 1),
      (["--host", "h"], ["://"], nil, 1), (["--host", "h"], ["=1"], nil, 1), ([], [], nil, 0),
    ] as [([String], [String], String?, Int)])
  func takes(flags: [String], operands: [String], iri: String?, rest: Int) throws {
    let outcome = try taken(flags, operands)
    #expect(outcome.iri == iri)
    #expect(outcome.rest == operands.suffix(rest))
  }

  @Test("SQL in the place of the IRI is told from one, and named")
  func statement() throws {
    let failure = #expect(throws: Failure.self) { () throws in _ = try taken([], ["select 1"]) }
    #expect(failure?.status == .usage)
    #expect(failure?.diagnostic?.message == "\"select 1\" is no IRI")
  }

  @Test("an IRI comes from a file or a descriptor, its first line, and not twice")
  func files() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "iri-\(UUID())").path
    try Data("pq://of/file\nrest\n".utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(try taken(["--iri-file", path], ["SELECT 1"]).iri == "pq://of/file")
    let descriptor = open(path, O_RDONLY)
    #expect(try taken(["--iri-fd", "\(descriptor)"], ["SELECT 1"]).iri == "pq://of/file")
    for (flags, operands) in [
      (["--iri-file", path, "--iri-fd", "0"], []), (["--iri-file", path], ["pq://h"]),
    ] as [([String], [String])] {
      let failure = #expect(throws: Failure.self) { () throws in _ = try taken(flags, operands) }
      #expect(failure?.status == .usage)
    }
    try Data("\n\n".utf8).write(to: URL(filePath: path))
    let empty = #expect(throws: Failure.self) { () throws in
      _ = try taken(["--iri-file", path], [])
    }
    #expect(empty?.status == .localFailure)
    let missing = #expect(throws: Failure.self) { () throws in
      _ = try taken(["--iri-file", path + "-missing"], [])
    }
    #expect(missing?.diagnostic?.message.contains(path) == true)
    #expect(throws: (any Error).self) { () throws in
      _ = try ConnectionFlags.parse(["--iri-fd", "x"])
    }
  }

  @Test("flags are laid over the IRI, and a port is a port")
  func overrides() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "password-\(UUID())").path
    try Data("secret\n".utf8).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    let flags = try ConnectionFlags.parse([
      "--host", "a,b", "--port", "1,65535", "--user", "u", "--dbname", "d", "--password-file", path,
    ])
    let options = try flags.overrides(program: "p")
    #expect(options.hosts == ["a", "b"] && options.ports == [1, 65_535])
    #expect(options.user == "u" && options.database == "d" && options.password == "secret")
    for port in ["0", "65536", "x", "", "1,0", "99999999999999999999"] {
      let failure = #expect(throws: Failure.self) { () throws in
        _ = try ConnectionFlags.parse(["--port", port]).overrides(program: "p")
      }
      #expect(failure?.status == .usage, "\(port)")
    }
  }
}
