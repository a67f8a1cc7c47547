import Testing

@testable import PGKit

@Suite("SQLScanner")
struct SQLScannerTests {
  /// A text and the tokens it is cut into.
  struct Cutting: Sendable, CustomTestStringConvertible {
    let sql: String
    let tokens: [String]
    let standard: Bool

    init(_ sql: String, _ tokens: String..., standard: Bool = true) {
      self.sql = sql
      self.tokens = tokens
      self.standard = standard
    }

    var testDescription: String { standard ? sql : sql + " (not conforming)" }
  }

  /// The tokens of a text without its one-byte symbols: a letter for the kind, and the text.
  static func tokens(of sql: String, standard: Bool = true) throws -> [String] {
    var scanner = SQLScanner(sql, standardConformingStrings: standard)
    var tokens: [String] = []
    while let token = try scanner.next() {
      tokens.append("\(letter(token)):\(scanner.text(scanner.range))")
    }
    return tokens
  }

  static func letter(_ token: SQLScanner.Token) -> String {
    switch token {
    case .word: "w"
    case .quoted: "q"
    case .lineComment, .blockComment: "c"
    case .semicolon, .opening, .closing, .dot, .symbol: "s"
    }
  }

  static let strings = [
    Cutting("'a'", "q:'a'"),
    Cutting("''", "q:''"),
    Cutting("'a''b' c", "q:'a''b'", "w:c"),
    Cutting("''''", "q:''''"),
    Cutting(#"'a\' b"#, #"q:'a\'"#, "w:b"),
    Cutting(#"'a\' b'"#, #"q:'a\' b'"#, standard: false),
    Cutting(#"N'a\' b"#, #"q:N'a\'"#, "w:b"),
    Cutting(#"n'a\' b'"#, #"q:n'a\' b'"#, standard: false),
    Cutting(#"E'a\' b'"#, #"q:E'a\' b'"#),
    Cutting(#"e'a\\' b"#, #"q:e'a\\'"#, "w:b"),
    Cutting(#"E'a''b\'' c"#, #"q:E'a''b\''"#, "w:c"),
    Cutting(#"E'\u' c"#, #"q:E'\u'"#, "w:c"),
    Cutting(#"E'\é' c"#, #"q:E'\é'"#, "w:c"),
    Cutting(#"B'01\' c"#, #"q:B'01\'"#, "w:c", standard: false),
    Cutting(#"x'1F\' c"#, #"q:x'1F\'"#, "w:c", standard: false),
    Cutting(#"U&'\0041\' c"#, #"q:U&'\0041\'"#, "w:c"),
    Cutting(#"abE'a\' c"#, "w:abE", #"q:'a\'"#, "w:c"),
    Cutting(#"1E'a\' b'"#, "s:1", #"q:E'a\' b'"#),
    Cutting(#"E 'a\' c"#, "w:E", #"q:'a\'"#, "w:c"),
    Cutting("'a;--/*$$' b", "q:'a;--/*$$'", "w:b"),
  ]

  static let continuations = [
    Cutting("E'a'\n'b\\' c'", "q:E'a'\n'b\\' c'"),
    Cutting("E'a'\r'b\\' c'", "q:E'a'\r'b\\' c'"),
    Cutting("E'a' -- it's\n -- \n 'b\\' c'", "q:E'a' -- it's\n -- \n 'b\\' c'"),
    Cutting("E'a' 'b\\' c", "q:E'a'", "q:'b\\'", "w:c"),
    Cutting("E'a' /*\n*/ 'b\\' c", "q:E'a'", "c:/*\n*/", "q:'b\\'", "w:c"),
    Cutting("E'a'\n-'b\\' c", "q:E'a'", "s:-", "q:'b\\'", "w:c"),
    Cutting("E'a'\n-- 'b", "q:E'a'", "c:-- 'b"),
    Cutting("B'0'\n'\\' c", "q:B'0'\n'\\'", "w:c", standard: false),
  ]

  static let identifiers = [
    Cutting("\"a;b\" c", "q:\"a;b\"", "w:c"),
    Cutting("\"a\"\"b\" c", "q:\"a\"\"b\"", "w:c"),
    Cutting(#""a\" c"#, #"q:"a\""#, "w:c"),
    Cutting(#""a\" c"#, #"q:"a\""#, "w:c", standard: false),
    Cutting(#"U&"d\0061t\+000061" c"#, #"q:U&"d\0061t\+000061""#, "w:c"),
    Cutting("U& \"a\"", "w:U", "s:&", "q:\"a\""),
    Cutting("U&a", "w:U", "s:&", "w:a"),
    Cutting("_a1$ größe", "w:_a1$", "w:größe"),
    Cutting("a.b", "w:a", "s:.", "w:b"),
  ]

  static let dollars = [
    Cutting("$$a;b$$ c", "q:$$a;b$$", "w:c"),
    Cutting("$a$ $b$ $$ $a$ c", "q:$a$ $b$ $$ $a$", "w:c"),
    Cutting("$a$x$a$a$", "q:$a$x$a$", "w:a$"),
    Cutting("$a$$b$a$", "q:$a$$b$a$"),
    Cutting("$x$$x$x$", "q:$x$$x$", "w:x$"),
    Cutting("$$$$", "q:$$$$"),
    Cutting("$$a$b$$", "q:$$a$b$$"),
    Cutting("$é_1$;$é_1$", "q:$é_1$;$é_1$"),
    Cutting("$A$ $a$ $A$", "q:$A$ $a$ $A$"),
    Cutting("a$b$c$ d", "w:a$b$c$", "w:d"),
    Cutting("a$$b", "w:a$$b"),
    Cutting("$1$2", "s:$", "s:1", "s:$", "s:2"),
    Cutting("$1$$a$$", "s:$", "s:1", "q:$$a$$"),
    Cutting("$a b$", "s:$", "w:a", "w:b$"),
    Cutting("$", "s:$"),
    Cutting("$a", "s:$", "w:a"),
    Cutting("$1a$ b", "s:$", "s:1", "w:a$", "w:b"),
  ]

  static let comments = [
    Cutting("-- a;'\nb", "c:-- a;'", "w:b"),
    Cutting("-- a\rb", "c:-- a", "w:b"),
    Cutting("-- a", "c:-- a"),
    Cutting("a--b", "w:a", "c:--b"),
    Cutting("a-b", "w:a", "s:-", "w:b"),
    Cutting("/* a /* b */ c */ d", "c:/* a /* b */ c */", "w:d"),
    Cutting("/**/ d", "c:/**/", "w:d"),
    Cutting("/***/ d", "c:/***/", "w:d"),
    Cutting("/*/*/**/*/*/ d", "c:/*/*/**/*/*/", "w:d"),
    Cutting("/* ' \" $$ -- */ d", "c:/* ' \" $$ -- */", "w:d"),
    Cutting("+/* a */-- b", "s:+", "c:/* a */", "c:-- b"),
    Cutting("*/ d", "s:*", "s:/", "w:d"),
  ]

  @Test(
    "ends each kind of token where the server does",
    arguments: [
      strings, continuations, identifiers, dollars, comments,
    ].flatMap { $0 })
  func cuts(_ cutting: Cutting) throws {
    #expect(try Self.tokens(of: cutting.sql, standard: cutting.standard) == cutting.tokens)
  }

  @Test("tells the marks that a splitter counts from other symbols")
  func marks() throws {
    var scanner = SQLScanner("; ( ) . + \0")
    var marks: [SQLScanner.Token] = []
    while let token = try scanner.next() { marks.append(token) }
    #expect(marks == [.semicolon, .opening, .closing, .dot, .symbol, .symbol])
  }

  @Test("takes every blank of ASCII as one")
  func blanks() throws {
    #expect(try Self.tokens(of: " \t\r\n\u{0B}\u{0C}a ") == ["w:a"])
  }

  @Test("knows a word in any case, and only the whole word")
  func words() throws {
    var scanner = SQLScanner("CrEaTe creat creates")
    let matches = try (0..<3).map { _ in
      _ = try scanner.next()
      return scanner.isAt("create")
    }
    #expect(matches == [true, false, false])
  }

  @Test(
    "refuses what has no end, naming it and its line",
    arguments: [
      ("a\n'b", "the quoted string that begins on line 2 has no end"),
      ("'", "the quoted string that begins on line 1 has no end"),
      ("\n\n'a''", "the quoted string that begins on line 3 has no end"),
      (#"E'a\'"#, "the quoted string that begins on line 1 has no end"),
      (#"E'\"#, "the quoted string that begins on line 1 has no end"),
      ("'a'\n'b", "the quoted string that begins on line 1 has no end"),
      ("'a'\r\n;\r\n\"b", "the quoted identifier that begins on line 3 has no end"),
      ("U&\"b", "the quoted identifier that begins on line 1 has no end"),
      ("\n/* a /* b */", "the comment that begins on line 2 has no end"),
      ("/*/", "the comment that begins on line 1 has no end"),
      ("\n$$ a $", "the dollar-quoted string that begins on line 2 has no end"),
      ("$a$ $A$", "the dollar-quoted string that begins on line 1 has no end"),
      ("$aa$a$", "the dollar-quoted string that begins on line 1 has no end"),
      ("$$$", "the dollar-quoted string that begins on line 1 has no end"),
    ])
  func unterminated(_ sql: String, _ message: String) throws {
    let error = #expect(throws: PGError.self) { try Self.tokens(of: sql) }
    #expect(error?.code == .syntaxError)
    #expect(error?.message == message)
    #expect(error?.fault == .caller)
  }
}
