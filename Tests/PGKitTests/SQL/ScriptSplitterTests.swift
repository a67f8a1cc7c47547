import PGTestCluster
import Testing

@testable import PGKit

@Suite("ScriptSplitter")
struct ScriptSplitterTests {
  /// A script and its statements' texts.
  struct Script: Sendable, CustomTestStringConvertible {
    let text: String
    let statements: [String]

    init(_ text: String, _ statements: String...) {
      self.text = text
      self.statements = statements
    }

    var testDescription: String { text }
  }

  static let scripts = [
    Script(""),
    Script(";;  ;\n;"),
    Script("-- only a comment"),
    Script("/* only */ ; -- comments\n;"),
    Script("\u{FEFF}"),
    Script("select 1", "select 1"),
    Script(" select 1 ; ", "select 1"),
    Script("select 1; select 2", "select 1", "select 2"),
    Script("select 1;;select 2;", "select 1", "select 2"),
    Script("select ';'; select \";\"; select $$;$$", "select ';'", "select \";\"", "select $$;$$"),
    Script("select 1 -- a;b\n, 2; select 3", "select 1 -- a;b\n, 2", "select 3"),
    Script("select 1 -- a;b", "select 1"),
    Script("select 1 -- a;b\n;select 2", "select 1", "select 2"),
    Script("select /* a;b */ 1; select 2", "select /* a;b */ 1", "select 2"),
    Script("/* a */ -- b\n select 1", "select 1"),
    Script("select 1 /* trace='x' */; select 2", "select 1 /* trace='x' */", "select 2"),
    Script("-- a\n/*+ SeqScan(t) */ select 1; 2", "/*+ SeqScan(t) */ select 1", "2"),
    Script("/*+ SeqScan(t) */; select 1", "select 1"),
    Script("\u{FEFF}select 1;\u{FEFF}select 2", "select 1", "select 2"),
    Script("select 1\r\n;\r\nselect 2\r\n", "select 1", "select 2"),
    Script("select 1;\u{301}a", "select 1", "\u{301}a"),
    Script("select 1\u{37E} select 2", "select 1\u{37E} select 2"),
    Script("a\0b;c", "a\0b", "c"),
    Script("\\d; select 1", "\\d", "select 1"),
  ]

  static let parentheses = [
    Script(
      "create rule r as on insert to t do (select 1; select 2); select 3",
      "create rule r as on insert to t do (select 1; select 2)", "select 3"),
    Script("select ((1;2);3); 4", "select ((1;2);3)", "4"),
    Script("select 1); select 2", "select 1)", "select 2"),
    Script("select (1; select 2; select 3", "select (1; select 2; select 3"),
    Script("select '('; select \"(\" /* ( */; 3", "select '('", "select \"(\" /* ( */", "3"),
  ]

  static let routines = [
    Script(
      "create function f() returns int begin atomic select 1; select 2; end; select 3",
      "create function f() returns int begin atomic select 1; select 2; end", "select 3"),
    Script(
      "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT 1; END; SELECT 2",
      "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC SELECT 1; END", "SELECT 2"),
    Script(
      "create function f() begin /* c */ atomic select case when a then case b when 1 then 2 end "
        + "else 3 end; select 4; end; select 5",
      "create function f() begin /* c */ atomic select case when a then case b when 1 then 2 end "
        + "else 3 end; select 4; end", "select 5"),
    Script(
      "create function f() begin atomic select (case when a then 1 end); select 2; end; 3",
      "create function f() begin atomic select (case when a then 1 end); select 2; end", "3"),
    Script(
      "create function f() begin atomic select 1 as end, t.case, \"end\", begin; end; 2",
      "create function f() begin atomic select 1 as end, t.case, \"end\", begin; end", "2"),
    Script(
      "create function f() begin atomic select 1; select 2",
      "create function f() begin atomic select 1; select 2"),
    Script(
      "create function begin() returns int language sql as 'select 1'; select 2",
      "create function begin() returns int language sql as 'select 1'", "select 2"),
    Script(
      "create function f(begin int) language sql as $$begin; end$$; select 2",
      "create function f(begin int) language sql as $$begin; end$$", "select 2"),
    Script("begin; select 1; end", "begin", "select 1", "end"),
    Script("begin atomic; select 1", "begin atomic", "select 1"),
    Script("create table t(); begin atomic; end", "create table t()", "begin atomic", "end"),
    Script("create or function begin atomic; 1", "create or function begin atomic", "1"),
    Script("alter function f() begin atomic; 1", "alter function f() begin atomic", "1"),
    Script(
      "create function f() begin atomic end; create view v as select case 1; end",
      "create function f() begin atomic end", "create view v as select case 1", "end"),
  ]

  @Test(
    "ends a statement at the semicolons that psql ends it at",
    arguments: [
      scripts, parentheses, routines,
    ].flatMap { $0 })
  func splits(_ script: Script) throws {
    let texts = try ScriptSplitter.split(script.text).map(\.text)
    #expect(texts.map { Array($0.utf8) } == script.statements.map { Array($0.utf8) })
  }

  @Test("says on which line a statement begins")
  func lines() throws {
    let script = """
      -- head

      select 1; select 2;
      /* a
         comment */ select 'a
      b'; -- tail
      create function f() begin atomic
        select 1;
      end;

      /*+ hint
      */ select 3;
      select 4
      """
    let pieces = try ScriptSplitter.split(script)
    #expect(pieces.map(\.line) == [3, 3, 5, 7, 11, 13])
    #expect(try ScriptSplitter.split("\r\n\r\na;\r\nb").map(\.line) == [3, 4])
    #expect(try ScriptSplitter.split("\u{FEFF}\na").map(\.line) == [2])
  }

  @Test(
    "gives the first word in capitals",
    arguments: [
      ("select 1", "SELECT"), ("-- a\n/* b */ cOpY t from stdin", "COPY"),
      ("/*+ hint */ insert", "INSERT"), ("((select 1) union select 2)", "SELECT"),
      ("( /* a */ values (1))", "VALUES"), ("\u{FEFF}with a", "WITH"), ("end", "END"),
      ("'a' select", ""), ("\"select\" 1", ""), ("1 select", ""), ("\\copy t", ""), ("(", ""),
      ("E'a'", ""), ("$$a$$ b", ""), ("straße", "STRAßE"), ("a$1_", "A$1_"),
    ])
  func firstWord(_ script: String, _ word: String) throws {
    #expect(try ScriptSplitter.split(script).map(\.firstWord) == [word])
  }

  @Test("escapes with backslashes in plain strings if the server does")
  func nonconforming() throws {
    let script = #"select 'a\'; b'; select 2"#
    let split = try ScriptSplitter.split(script, standardConformingStrings: false)
    #expect(split.map(\.text) == [#"select 'a\'; b'"#, "select 2"])
    #expect(throws: PGError.self) { try ScriptSplitter.split(script) }
  }

  @Test("refuses a script whose last quote has no end, with the line in the script")
  func unterminated() {
    let error = #expect(throws: PGError.self) {
      try ScriptSplitter.split("select 1;\nselect 2;\n  select 'a;\nselect 3;")
    }
    #expect(error?.code == .syntaxError)
    #expect(error?.message == "the quoted string that begins on line 3 has no end")
    #expect(error?.hint == "End it with '.")
  }

  /// Pieces of SQL that change the scanner's mind, for scripts at random.
  static let fragments = [
    ";", ";", ";", "'", "''", "\"", "$$", "$a$", "$1", "$", "E'", "b'", "U&'", "U&\"", "\\", "\\'",
    "--", "/*", "*/", "/*+", "\n", "\r\n", " ", "(", ")", ".", "-", "*", "/", "a", "é", "\u{FEFF}",
    "\0", "\u{301}", "create ", "or ", "replace ", "function ", "begin ", "atomic ", "case ",
    "end ", "as ", "select ", "1",
  ]

  @Test("splits its own statements, put together again, the same way", arguments: [true, false])
  func idempotence(_ standard: Bool) throws {
    var random = SeededGenerator(seed: standard ? 1 : 2)
    var split = 0
    for _ in 0..<20_000 {
      let count = Int.random(in: 0...16, using: &random)
      let parts = (0..<count).compactMap { _ in Self.fragments.randomElement(using: &random) }
      let script = parts.joined()
      guard let pieces = Self.pieces(of: script, standard) else { continue }
      let again = Self.pieces(of: pieces.map(\.text).joined(separator: ";"), standard)
      #expect(again?.map { Array($0.text.utf8) } == pieces.map { Array($0.text.utf8) }, "\(script)")
      #expect(again?.map(\.firstWord) == pieces.map(\.firstWord), "\(script)")
      split += pieces.count
    }
    #expect(split > 5_000)
  }

  @Test("takes each statement from the script, on the line it says")
  func places() throws {
    var random = SeededGenerator(seed: 3)
    for _ in 0..<5_000 {
      let count = Int.random(in: 0...16, using: &random)
      let parts = (0..<count).compactMap { _ in Self.fragments.randomElement(using: &random) }
      let script = Array(parts.joined().utf8)
      for piece in Self.pieces(of: parts.joined(), true) ?? [] {
        let found = Self.lines(of: Array(piece.text.utf8), in: script)
        #expect(found.contains(piece.line), "\(parts.joined())")
      }
    }
  }

  @Test("bears any bytes")
  func anyBytes() {
    var random = SeededGenerator(seed: 4)
    for _ in 0..<5_000 {
      let count = Int.random(in: 0...64, using: &random)
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let text = String(decoding: bytes, as: UTF8.self)
      let total = Self.pieces(of: text, true)?.reduce(0) { $0 + $1.text.utf8.count } ?? 0
      #expect(total <= text.utf8.count)
    }
  }

  @Test(
    "takes time in proportion to the script",
    arguments: [
      "E'a' \n -- \n", "$a", ";", "/*", "(", "'a'\n", "$a$ $b$ ", "case ", "\u{FEFF}", "U&",
    ])
  func linear(_ part: String) {
    let clock = ContinuousClock()
    let script = String(repeating: part, count: 200_000)
    let time = clock.measure { _ = Self.pieces(of: script, true) }
    // A square of it would take hours, even if each step were a nanosecond.
    #expect(time < .seconds(20))
  }

  private static func pieces(of script: String, _ standard: Bool) -> [ScriptSplitter.Piece]? {
    try? ScriptSplitter.split(script, standardConformingStrings: standard)
  }

  /// The lines on which a text occurs.
  private static func lines(of text: [UInt8], in script: [UInt8]) -> Set<Int> {
    var line = 1
    var lines: Set<Int> = []
    for place in script.indices {
      if script[place...].starts(with: text) { lines.insert(line) }
      if script[place] == UInt8(ascii: "\n") { line += 1 }
    }
    return lines
  }
}
