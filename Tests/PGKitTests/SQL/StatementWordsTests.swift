import PGKit
import Testing

@Suite("The words of a statement") struct StatementWordsTests {
  @Test(
    "are read without comments, strings and marks",
    arguments: [
      ("ROLLBACK /* back to the start */ WORK", ["ROLLBACK", "WORK"]),
      ("rollback -- to\n to savepoint s", ["ROLLBACK", "TO", "SAVEPOINT"]),
      ("SET \"x\" = 'to'", ["SET"]), ("", []), ("BEGIN; 'unterminated", ["BEGIN"]),
    ])
  func words(_ sql: String, _ words: [String]) {
    #expect(SQL.firstWords(of: sql, atMost: 3) == words)
  }

  @Test(
    "tell whether a name is spoken of",
    arguments: [
      ("SET standard_conforming_strings = off", true),
      ("SET \"Standard_Conforming_Strings\" = 1", true),
      ("SELECT set_config('standard_conforming_strings', 'off', false)", true),
      ("SELECT 1 -- standard_conforming_strings", false),
      ("/* standard_conforming_strings */ SELECT standard_conforming", false),
    ])
  func mentions(_ sql: String, _ isMentioned: Bool) {
    #expect(SQL.mentions("standard_conforming_strings", in: sql) == isMentioned)
  }
}
