import Testing

@testable import PGKit

@Suite("Variables in statements") struct SubstitutedTextTests {
  @Test(
    "stand in quotes behind a colon",
    arguments: [
      ("SELECT :'x'", "SELECT 'o''b'"), ("SELECT :\"x\"", "SELECT \"o'b\""),
      ("f(:'x',:\"x\")", "f('o''b', \"o'b\")"),
      ("SELECT ':''x''', :'x'", "SELECT ':''x''', 'o''b'"),
      ("SELECT 1 -- :'x'\n, $$:'x'$$", "SELECT 1 -- :'x'\n, $$:'x'$$"),
      ("SELECT 'c'::\"x\"", "SELECT 'c'::\"x\""), ("SELECT :'unknown'", "SELECT :'unknown'"),
      ("SELECT :x, :'a b'", "SELECT :x, :'a b'"), ("SELECT:'x'", "SELECT 'o''b'"),
      ("SELECT :E'x'", "SELECT :E'x'"),
    ])
  func substitution(source: String, text: String) throws {
    #expect(try SubstitutedText(source, ["x": "o'b"]).text == text)
  }

  @Test("are safe while backslashes escape") func backslashes() throws {
    let text = try SubstitutedText("SELECT :'x'", ["x": "\\'"], standardConformingStrings: false)
    #expect(text.text == "SELECT  E'\\\\'''" || text.text == "SELECT E'\\\\'''")
  }

  @Test("refuse a NUL") func nul() {
    #expect(throws: PGError.self) { () throws in _ = try SubstitutedText(":'x'", ["x": "\0"]) }
  }

  @Test("places of the result are told as places of the source") func places() throws {
    let source = "é :'x' ü nope :\"x\" end"
    let substituted = try SubstitutedText(source, ["x": "long value"])
    for word in ["é", "ü", "nope", "end"] {
      let position = try #require(substituted.text.range(of: word))
      let scalars = substituted.text.unicodeScalars
      let number = scalars.distance(from: scalars.startIndex, to: position.lowerBound) + 1
      let expected = try #require(source.range(of: word)).lowerBound
      #expect(
        substituted.sourceOffset(ofPosition: number)
          == source.utf8.distance(from: source.startIndex, to: expected))
    }
    // Within a value, the variable; beyond the end, the end.
    #expect(substituted.sourceOffset(ofPosition: 6) == 3)
    #expect(substituted.sourceOffset(ofPosition: 9999) == source.utf8.count)
    #expect(substituted.sourceOffset(ofPosition: -1) == 0)
  }

  @Test("without variables, places are the same") func identity() throws {
    let text = try SubstitutedText("aéb", [:])
    #expect((1...4).map { text.sourceOffset(ofPosition: $0) } == [0, 1, 3, 4])
  }
}

extension String {
  fileprivate func range(of word: String) -> Range<String.Index>? { firstRange(of: word) }
}

@Suite("Numbers of parameters") struct ParameterNumbersTests {
  @Test(
    "are found outside quotes, and not in the body of a routine",
    arguments: [
      ("SELECT $1, $12", 12), ("SELECT '$3', $$ $4 $$, \"$5\" -- $6", 0), ("SELECT a$7", 0),
      ("SELECT $2::int+$1", 2), ("CREATE FUNCTION f(int) RETURNS int RETURN $1", 0),
      ("CREATE OR REPLACE FUNCTION f(int) RETURNS int BEGIN ATOMIC SELECT $1; END", 0),
      ("CREATE TABLE t AS SELECT $1::int", 1), ("PREPARE p AS SELECT $1", 0),
      ("SELECT function($1)", 1), ("SELECT $99999999999999999999", 10 * (1 << 20) + 9), ("", 0),
      ("SELECT $ 1", 0),
    ])
  func highest(sql: String, number: Int) {
    #expect(SQL.highestParameter(in: sql) == number)
  }
}
