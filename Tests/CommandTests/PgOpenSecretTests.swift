import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

@Suite(
  "pg-open: where to connect",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct PgOpenSecretTests {
  private let open: OpenFixture

  init() throws { open = try OpenFixture() }

  private var iri: String { open.server.tcpIRI(user: "scram", password: TestServer.password) }

  @Test("takes the IRI from a file, a descriptor or the environment")
  func sources() throws {
    let path = try open.file("iri", iri + "\n")
    #expect(try open.program.run(["--iri-file", path, "SELECT 1"]).output == "1\n")
    let shell = try BuiltProgram(absolute: "/bin/sh").run([
      "-c", "exec \"$1\" --iri-fd 7 'SELECT 2' 7<\"$2\"", "sh", open.program.path, path,
    ])
    #expect(shell.output == "2\n", "\(shell.errors)")
    let variable = try open.program.run(["-c", "SELECT 3"], environment: ["PGKIT_IRI": iri])
    #expect(variable.output == "3\n")
    let twice = try open.program.run(["--iri-file", path, iri, "SELECT 1"])
    #expect(twice.end == .exit(64))
    #expect(try open.program.run(["--iri-file", "/no/such", "SELECT 1"]).end == .exit(1))
    #expect(try open.program.run(["--iri-fd", "99", "SELECT 1"]).end == .exit(1))
  }

  @Test("takes the parts by themselves, the password from a file, and they win over the IRI")
  func parts() throws {
    let secret = try open.file("password", TestServer.password + "\n")
    let parts = [
      "--host", "127.0.0.1", "--port", "\(open.server.port)", "--user", "scram", "--dbname",
      "postgres",
      "--password-file", secret,
    ]
    #expect(try open.program.run(parts + ["SELECT current_user"]).output == "scram\n")
    let over = try open.program.run(
      [
        "--user", "postgres", "--dbname", "template1", open.server.iri(user: "scram"),
        "SELECT current_user, current_database()",
      ])
    #expect(over.output == "postgres\ttemplate1\n", "\(over.errors)")
    #expect(try open.program.run(["--port", "x", "SELECT 1"]).end == .exit(64))
  }

  @Test("explains each parameter and its source without connecting and without secrets")
  func explain() throws {
    let outcome = try open.program.run(
      [
        "--explain-iri", "--user", "flag", "postgres://u:hidden%40@h.invalid/db?sslmode=disable",
      ], environment: ["PGPORT": "7777", "PGPASSWORD": "hidden"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    for line in [
      "user\tflag\tflag", "host\th.invalid\tIRI", "port\t7777\tPGPORT", "password\t***\tIRI",
    ] {
      #expect(outcome.lines.contains { $0 == line }, "\(outcome.output)")
    }
    #expect(!outcome.output.contains("hidden") && !outcome.errors.contains("hidden"))
    let json = try open.program.run(["--explain-iri", "--format", "jsonl", "pq://u@h/db"])
    #expect(json.output.contains(#"{"name":"user","value":"u","source":"IRI"}"#))
  }

  @Test("explains what nobody said, too: what is built in, and what the program sets")
  func explainDefaults() throws {
    let outcome = try open.program.run(
      [
        "--explain-iri", "--lock-timeout", "2s", "--read-only", "pq://u@h.invalid/db?datestyle=SQL",
      ],
      environment: ["PGOPTIONS": "-c search_path=s"])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    for line in [
      "user\tu\tIRI", "port\t5432\tdefault", "sslmode\tprefer\tdefault",
      "target_session_attrs\tany\tdefault", "channel_binding\tprefer\tdefault",
      "connect_timeout\t0\tdefault", "client_encoding\tUTF8\tpg-open",
      "fallback_application_name\tpg-open\tpg-open", "options\t-c search_path=s\tPGOPTIONS",
      "datestyle\tSQL\tIRI", "IntervalStyle\tiso_8601\tpg-open",
      "extra_float_digits\t3\tpg-open", "bytea_output\thex\tpg-open",
      "lock_timeout\t2000\tflag", "default_transaction_read_only\ton\tflag",
    ] {
      #expect(outcome.lines.contains { $0 == line }, "\(line) in:\n\(outcome.output)")
    }
    #expect(!outcome.output.contains("DateStyle\t"))
    let socket = try open.program.run(["--explain-iri", "pq://u@/db?[unix]=/tmp/s"])
    #expect(!socket.lines.contains { $0.hasPrefix("port\t") }, "\(socket.output)")
  }

  @Test("what is explained is what the session then has")
  func explainedIsUsed() throws {
    let lines = try open.run(["--explain-iri"]).lines.map { $0.split(separator: "\t") }
    let explained = Dictionary(lines.map { ($0[0], $0[1]) }) { $1 }
    for name in ["IntervalStyle", "extra_float_digits", "bytea_output", "client_encoding"] {
      let used = try open.run(["SHOW \(name)"]).output
      #expect(explained["\(name)"].map { "\($0)\n" } == used, "\(name)")
    }
    let name = try open.run(["SHOW application_name"]).output
    #expect(explained["fallback_application_name"].map { "\($0)\n" } == name)
  }

  @Test(
    "covers passwords in its arguments, which everybody can see",
    arguments: [
      "postgres://scram:secret@127.0.0.1:%@/postgres",
      "host=127.0.0.1 port=%@ user=scram password=secret dbname=postgres",
      "host=127.0.0.1 port=%@ user=scram password='secret' dbname=postgres",
      "pq://scram@127.0.0.1:%@/postgres?[password]=secret",
      "postgres://127.0.0.1:%@/postgres?user=scram&password=secret",
    ])
  func covered(form: String) throws {
    let text = form.replacing("%@", with: "\(open.server.port)")
    let mark = "covered \(open.name)"
    let running = try open.program.start([text, "SELECT pg_sleep(2) /* \(mark) */"])
    try open.server.waitUntilSleeps(matching: "%\(mark)%")
    let shown = try String(contentsOfFile: "/proc/\(running.process)/cmdline", encoding: .utf8)
    #expect(!shown.contains("secret"), "\(shown)")
    #expect(shown.contains("****") && shown.contains(mark))
    running.signal(SIGTERM)
    _ = try running.wait()
  }

  @Test("no message holds a password")
  func messages() throws {
    let wrong = open.server.tcpIRI(user: "scram", password: "not-it-at-all")
    for form in ["text", "json", "github"] {
      let outcome = try open.program.run(["--errors", form, wrong, "SELECT 1"])
      #expect(outcome.end == .exit(2))
      #expect(outcome.errors.contains("28P01"))
      #expect(!outcome.errors.contains("not-it-at-all"))
    }
  }
}
