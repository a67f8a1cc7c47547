import PGKit
import PGTestCluster
import Testing

/// What the programs do where texts are not UTF-8, or not meant to be.
@Suite("Encodings", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct EncodingTests {
  private let server: TestServer
  private let db: Connection
  private let open = BuiltProgram("pg-open")
  private let copy = BuiltProgram("pg-copy")
  private let name = "encoding_\(UInt64.random(in: 0...UInt64.max))"

  init() throws {
    server = try TestServer.shared.get()
    db = try server.connect()
  }

  /// A database whose texts have no known encoding, with a table `t(a text)`.
  private func makeUnknown(_ number: Int) throws -> (iri: String, db: Connection) {
    try db.execute(
      "CREATE DATABASE \(name)_\(number) TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'")
    let iri = server.iri(database: "\(name)_\(number)")
    let other = try PGKit.open(iri)
    try other.execute("CREATE TABLE t(a text)")
    return (iri, other)
  }

  @Test(
    "arguments that are not UTF-8 are refused, not repaired",
    arguments: ["\"$0\" '' \"SELECT '$bytes'\"", "\"$0\" -p \"$bytes\" '' 'SELECT $1'"])
  func arguments(command: String) throws {
    let outcome = try BuiltProgram(absolute: "/bin/sh").run([
      "-c", "bytes=$(printf 'caf\\351'); \(command)", open.path,
    ])
    #expect(outcome.end == .exit(64))
    #expect(outcome.errors.contains("is not UTF-8"))
  }

  @Test("pg-open writes UTF-8 whatever the environment asks for, and says so")
  func environment() throws {
    let outcome = try open.run(
      [server.iri(), "SELECT 'é', length('é')"], environment: ["PGCLIENTENCODING": "LATIN1"])
    #expect(outcome.output == "é\t1\n")
    #expect(outcome.errors.contains("client_encoding LATIN1 is not followed"))
    let quiet = try open.run(
      [server.iri(), "SELECT 'é'"], environment: ["PGCLIENTENCODING": "utf-8"])
    #expect(quiet.output == "é\n" && quiet.errors.isEmpty)
  }

  @Test("pg-open stops when its session's encoding is changed")
  func changed() throws {
    let outcome = try open.run([
      server.iri(), "SET client_encoding = 'UTF8'", "SELECT 1", "SET client_encoding = 'LATIN1'",
      "SELECT 2",
    ])
    #expect(outcome.end == .exit(1))
    #expect(outcome.output == "1\n")
    #expect(outcome.errors.contains("client_encoding is now LATIN1"))
  }

  @Test(
    "pg-open prints what is not UTF-8 in a SQL_ASCII database only as it is told to",
    arguments: [
      ("replace", "tsv", " 61 ef bf bd c3 a9 0a"), ("keep", "tsv", " 61 e9 c3 a9 0a"),
      ("escape", "tsv", " 61 5c 5c 78 45 39 c3 a9 0a"),
      ("escape", "nul", " 61 5c 78 45 39 c3 a9 00"),
      ("base64", "csv", " 61 0a 59 65 6e 44 71 51 3d 3d 0a"),
      ("replace", "jsonl", " 7b 22 61 22 3a 22 61 ef bf bd c3 a9 22 7d 0a"),
    ])
  func unknownBytes(form: String, format: String, bytes: String) throws {
    let (iri, other) = try makeUnknown(1)
    try other.execute("INSERT INTO t VALUES ('a' || chr(233) || chr(195) || chr(169))")
    let shell = BuiltProgram(absolute: "/bin/sh")
    let script =
      "\"$0\" \"$1\" --invalid-utf8 \(form) --format \(format) 'TABLE t' | od -An -w99 -tx1"
    #expect(try shell.run(["-c", script, open.path, iri]).output == bytes + "\n")
    try other.execute("TRUNCATE t; INSERT INTO t VALUES ('good'), (NULL), ('b' || chr(233))")
    for format in ["tsv", "csv", "jsonl", "table", "raw"] {
      let outcome = try open.run([iri, "--format", format, "TABLE t"])
      #expect(outcome.end == .exit(1))
      #expect(
        outcome.errors.hasPrefix(
          "pg-open: ERROR 22021 character_not_in_repertoire: column \"a\" of row 3 is not valid UTF-8"
        ),
        "\(outcome)")
    }
  }

  @Test("pg-copy carries unknown bytes between SQL_ASCII databases")
  func unknownToUnknown() throws {
    let ((source, from), (receiver, to)) = (try makeUnknown(1), try makeUnknown(2))
    try from.execute("INSERT INTO t VALUES ('a' || chr(233))")
    let outcome = try copy.run([source, "t", "--to", receiver])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try to.query("SELECT a::bytea = '\\x61e9' FROM t")[0][0, as: Bool.self])
  }

  @Test("pg-copy reads unknown bytes from stdin into a SQL_ASCII database")
  func unknownFromInput() throws {
    let (receiver, to) = try makeUnknown(1)
    let outcome = try copy.run(["-", "t", "--to", receiver], input: .bytes([0x61, 0xE9, 0x0A]))
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try to.query("SELECT a::bytea = '\\x61e9' FROM t")[0][0, as: Bool.self])
  }

  @Test("pg-copy never stores in a UTF-8 database what is not UTF-8")
  func unknownToKnown() throws {
    let (source, from) = try makeUnknown(1)
    try from.execute("INSERT INTO t VALUES ('a' || chr(233))")
    try db.execute("CREATE TABLE \(name)(a text)")
    let table = "\(server.iri());table=\(name)"
    let outcomes = [
      try copy.run([source, "t", "--to", table]),
      try copy.run(
        ["-", name, "--to", server.iri()], input: .bytes([0x61, 0xE9, 0x0A]),
        environment: ["PGCLIENTENCODING": "SQL_ASCII"]),
    ]
    for outcome in outcomes {
      #expect(outcome.end == .exit(3))
      #expect(outcome.errors.contains("22021"))
    }
    #expect(try db.query("SELECT count(*) FROM \(name)")[0][0, as: Int.self] == 0)
    try from.execute("UPDATE t SET a = 'é'")
    #expect(try copy.run([source, "t", "--to", table]).end == .exit(0))
    #expect(try db.query("SELECT a = U&'\\00E9' FROM \(name)")[0][0, as: Bool.self])
  }

  @Test("pg-copy reads stdin in the encoding that it is told")
  func told() throws {
    try db.execute("CREATE TABLE \(name)(a text)")
    let outcome = try copy.run(
      ["-", name, "--to", server.iri()], input: .bytes([0xE9, 0x0A]),
      environment: ["PGCLIENTENCODING": "LATIN1"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(try db.query("SELECT a = U&'\\00E9' FROM \(name)")[0][0, as: Bool.self])
  }
}
