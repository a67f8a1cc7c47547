internal import PGKit

// What a statement is, as far as its first words tell: all that pg-open decides by them.

extension ScriptStatement {
  /// Whether it ends a transaction block by its own words.
  var endsTransaction: Bool {
    switch piece.firstWord {
    case "COMMIT", "END", "ABORT": true
    case "ROLLBACK":
      !SQL.firstWords(of: piece.text, atMost: 3).dropFirst().contains("TO")
    case "PREPARE": SQL.firstWords(of: piece.text, atMost: 2).last == "TRANSACTION"
    default: false
    }
  }

  /// Whether strings may be read otherwise behind it.
  ///
  /// - Parameter conforming: How they are read now; pg_dump's scripts begin with a statement that says so
  ///   once more.
  func mayChangeStrings(from conforming: Bool) -> Bool {
    let setting = "standard_conforming_strings"
    switch piece.firstWord {
    case "RESET", "DISCARD", "ALTER": return false
    case "SET":
      let words = SQL.firstWords(of: piece.text, atMost: 6)
      let isAsItIs = words.last == (conforming ? "ON" : "OFF")
      return !isAsItIs && SQL.mentions(setting, in: piece.text)
    default: return SQL.mentions(setting, in: piece.text)
    }
  }

  /// Whether it defines something that later statements may use.
  var isDefinition: Bool {
    ["CREATE", "ALTER", "DROP", "COMMENT", "GRANT", "REVOKE", "SET", "RESET"].contains(
      piece.firstWord)
  }

  /// Whether running it again does nothing twice if it failed: a procedure may have committed before.
  var mayRunAgain: Bool { !["CALL", "DO"].contains(piece.firstWord) }

  /// Whether it is to make a transaction take effect, now or by a second step.
  var isToCommit: Bool { ["COMMIT", "END", "PREPARE"].contains(piece.firstWord) }
}
