import Foundation
import Testing

@Suite struct PgErrcodeLintTests {
  let program = BuiltProgram.errorCode

  private func lint(_ text: String, _ options: [String] = []) throws -> BuiltProgram.Outcome {
    try program.run(["lint", "-"] + options, input: .text(text))
  }

  @Test(
    "finds what may not be raised, with its place",
    arguments: [
      ("RAISE EXCEPTION 'x' USING ERRCODE = '23999';", "stdin:1:37: 23999: undefined, in a class"),
      ("RAISE EXCEPTION 'x'\n  USING ERRCODE = 'PT404';", "stdin:2:19: PT404: not registered"),
      ("RAISE SQLSTATE 'P0999';", "stdin:1:16: P0999: undefined, in PostgreSQL's own class P0"),
      ("RAISE SQLSTATE 'abc';", "stdin:1:16: abc: not five digits"),
      ("RAISE uniq_violation;", "stdin:1:7: uniq_violation: no condition that PL/pgSQL knows"),
      ("RAISE uniq_violation;", "did you mean unique_violation?"),
      ("RAISE 'x' USING MESSAGE = 'y', ERRCODE = '40PO1';", "did you mean 40P01?"),
      ("raise exception using errcode := '00000';", "00000: means success"),
      ("RAISE SQLSTATE '23000';", "23000: stands for a whole class"),
      (
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $x$\nBEGIN\n  RAISE 'é %', 1 "
          + "USING ERRCODE='ZZ001';\nEND $x$;", "stdin:3:32: ZZ001: not registered"
      ),
      (
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS '\nBEGIN RAISE SQLSTATE ''ZZ002'';"
          + " END';", "stdin:2:23: ZZ002: not registered"
      ),
    ])
  func faults(text: String, want: String) throws {
    let run = try lint(text)
    #expect(run.output.contains(want), "\(run.output)\(run.errors)")
    #expect(run.lines.count == 1)
    #expect(run.end == .exit(6))
  }

  @Test(
    "leaves alone what is right, or no literal, or no RAISE",
    arguments: [
      "RAISE;", "RAISE NOTICE 'x %', a;", "RAISE unique_violation USING MESSAGE = 'x';",
      "RAISE EXCEPTION 'x' USING ERRCODE = 'unique_violation';",
      "RAISE 'x' USING ERRCODE = '23505';", "RAISE 'x' USING ERRCODE = code;",
      "RAISE 'x' USING ERRCODE = 'PT' || number;", "-- RAISE SQLSTATE 'ZZ999';",
      "/* RAISE SQLSTATE 'ZZ999'; /* nested */ */ SELECT 1;",
      "SELECT 'RAISE SQLSTATE ''ZZ999'';';", "SELECT raise FROM t;", "", "'", "$x$", "/*", "\"",
    ])
  func nothing(text: String) throws {
    let run = try lint(text)
    #expect(run.output.isEmpty, "\(run.output)")
    #expect(run.end == .exit(0))
  }

  @Test("reads directories and patterns, and knows a project's codes")
  func trees() throws {
    let root = NSTemporaryDirectory() + "lint-\(UUID().uuidString)"
    let manager = FileManager.default
    try manager.createDirectory(atPath: root + "/a/b", withIntermediateDirectories: true)
    for (name, code) in [("top.sql", "PT404"), ("a/one.sql", "PT405"), ("a/b/two.sql", "PT404")] {
      try "RAISE SQLSTATE '\(code)';\n".write(
        toFile: root + "/" + name, atomically: true, encoding: .utf8)
    }
    try "RAISE SQLSTATE 'ZZ000';".write(
      toFile: root + "/a/notes.txt", atomically: true, encoding: .utf8)
    try "PT404 E page_not_found\n".write(
      toFile: root + "/codes", atomically: true, encoding: .utf8)
    let all = try program.run(["lint", root])
    #expect(
      all.lines.map { $0.split(separator: ":")[0].dropFirst(root.count) } == [
        "/a/b/two.sql", "/a/one.sql", "/top.sql",
      ])
    #expect(try program.run(["lint", root + "/**/*.sql"]).output == all.output)
    #expect(try program.run(["lint", root + "/*/*.sql"]).lines.count == 1)
    let known = try program.run(["lint", "--codes", root + "/codes", root])
    #expect(known.lines.map { $0.split(separator: ":")[0].dropFirst(root.count) } == ["/a/one.sql"])
    #expect(try program.run(["lint", root + "/nothing*"]).end == .exit(1))
    #expect(try program.run(["lint", root + "/nothing.sql"]).end == .exit(1))
    let json = try program.run(["lint", "--json", root + "/top.sql"])
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect(object?["code"] as? String == "PT404")
    #expect(object?["line"] as? Int == 1)
    #expect(object?["column"] as? Int == 16)
  }
}
