import Foundation
import Testing

@Suite struct PgErrcodeLintTests {
  let program = BuiltProgram.errorCode
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

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
      // An apostrophe in a dollar quote, and a word before a string that ends in e.
      ("COMMENT ON TABLE t IS $$don't$$;\nRAISE SQLSTATE 'ZZ003';", "stdin:2:16: ZZ003: not"),
      ("DO $a$ BEGIN PERFORM $b$it's$b$; RAISE SQLSTATE 'ZZ004'; END $a$;", "stdin:1:49: ZZ004"),
      ("SELECT date'\\';\nRAISE SQLSTATE 'ZZ005';", "stdin:2:16: ZZ005: not registered"),
      ("SELECT E'\\'';\nRAISE SQLSTATE 'ZZ006';", "stdin:2:16: ZZ006: not registered"),
      ("RAISE 'x' USING ERRCODE = $$ZZ007$$;", "ZZ007: not registered"),
      ("SELECT a$x$ FROM t;\nRAISE SQLSTATE 'ZZ008';", "stdin:2:16: ZZ008: not registered"),
      ("RAISE 'x' USING ERRCODE = 'ZZ009', HINT = raise;", "ZZ009: not registered"),
      ("IF a THEN RAISE SQLSTATE 'ZZ010'; END IF;", "ZZ010: not registered"),
      ("LOOP RAISE SQLSTATE 'ZZ011'; END LOOP;", "ZZ011: not registered"),
      ("RAISE EXCEPTION $q$x$q$ USING errcode = $q$99996$q$;", "stdin:1:41: 99996: not registered"),
      (
        "RAISE $q$raise foo; begin raise bar; end$q$ USING ERRCODE=$$99996$$;",
        "stdin:1:59: 99996: not registered"
      ),
      ("DO $a$ BEGIN RAISE $b$it's; RAISE x;$b$ USING ERRCODE='ZZ012'; END $a$;", "ZZ012: not"),
      ("RAISE 'x' USING ERRCODE = E'\\x50T999';", "stdin:1:28: PT999: not registered"),
      ("RAISE 'x' USING ERRCODE = e'\\120\\u0054\\U00000034\\60\\x34';", " PT404: not registered"),
      ("RAISE 'x' USING ERRCODE = E'\\xT\\u12';", " xTu12: no condition"),
      ("RAISE SQLSTATE E'A\\n\\x1bB';", "stdin:1:17: A\\x0a\\x1bB: not five digits"),
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
      "SELECT 'RAISE SQLSTATE ''ZZ999'';';", "SELECT raise FROM t;", "SELECT raise uniq_violation;",
      "",
      "$1$ RAISE", "DO $x$",
      "'", "$x$", "/*", "\"",
    ])
  func nothing(text: String) throws {
    let run = try lint(text)
    #expect(run.output.isEmpty, "\(run.output)")
    #expect(run.end == .exit(0))
  }

  @Test("a word in any number costs no more than its length")
  func manyWords() throws {
    let text = "SELECT " + String(repeating: "raise raise, ", count: 400_000)
    let run = try program.run(["lint", "-"], input: .text(text), timeout: .seconds(30))
    #expect(run.end == .exit(0))
    let tags = (0..<50_000).map { "$t\($0)$ " }.joined()
    #expect(
      try program.run(["lint", "-"], input: .text(tags), timeout: .seconds(30)).end == .exit(0))
  }

  @Test("links to directories are not entered, and patterns read what they name only")
  func circles() throws {
    let root = folder.path
    let manager = FileManager.default
    try manager.createDirectory(atPath: root + "/a/b", withIntermediateDirectories: true)
    for (index, place) in ["", "/a", "/a/b"].enumerated() {
      for link in ["x", "y"] {
        try manager.createSymbolicLink(
          atPath: root + place + "/" + link, withDestinationPath: root)
      }
      try "RAISE SQLSTATE 'ZZ00\(index)';".write(
        toFile: root + place + "/f.sql", atomically: true, encoding: .utf8)
    }
    try manager.createSymbolicLink(
      atPath: root + "/a/link.sql", withDestinationPath: root + "/f.sql")
    for operand in [root, root + "/**/*.sql", root + "/**"] {
      let run = try program.run(["lint", operand])
      #expect(run.lines.count == 4, "\(operand) \(run.output)")
    }
    #expect(try program.run(["lint", root + "/*/*.sql"]).lines.count == 2)
    #expect(try program.run(["lint", root + "/x"]).lines.count == 4)
    // Without **, no directory below the pattern's own depth is read: not even all of the system's.
    let run = try program.run(["lint", "/*.no-such-sql"])
    #expect(run.end == .exit(1))
  }

  @Test("reads directories and patterns, and knows a project's codes")
  func trees() throws {
    let root = folder.path
    for (name, code) in [("top.sql", "PT404"), ("a/one.sql", "PT405"), ("a/b/two.sql", "PT404")] {
      try folder.write("RAISE SQLSTATE '\(code)';\n", to: name)
    }
    try folder.write("RAISE SQLSTATE 'ZZ000';", to: "a/notes.txt")
    try folder.write("PT404 E page_not_found\n", to: "codes")
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

  @Test("a link to itself or to nothing is named, and the other files are read")
  func brokenLinks() throws {
    let loop = try folder.link("loop.sql", to: "loop.sql")
    let alone = try program.run(["lint", loop])
    #expect(alone.errors == "pg-errcode: \(loop): Too many levels of symbolic links\n")
    #expect(alone.end == .exit(1))
    try folder.link("nothing.sql", to: "no-such-file")
    try folder.write("RAISE SQLSTATE 'ZZ001';", to: "z.sql")
    let run = try program.run(["lint", folder.path])
    #expect(run.lines.count == 1)
    #expect(run.errors.contains("loop.sql: Too many levels of symbolic links\n"))
    #expect(run.errors.contains("nothing.sql: No such file or directory\n"))
    #expect(run.end == .exit(1))
  }

  @Test("says what is not there: a file, one that fits, or any in a directory")
  func absence() throws {
    let cases = [
      ("", "the directory has no *.sql"), ("/no.sql", "there is no such file"),
      ("/*.sql", "there is no file that fits"),
    ]
    for (name, want) in cases {
      let run = try program.run(["lint", folder.path + name])
      #expect(run.errors == "pg-errcode: \(folder.path + name): \(want)\n")
      #expect(run.end == .exit(1))
    }
  }
}
