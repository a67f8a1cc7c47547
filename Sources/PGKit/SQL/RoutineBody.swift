/// Knows whether a statement is inside the body of a routine, `BEGIN ATOMIC … END`, whose semicolons
/// do not end it.
///
/// Like psql, it looks for a statement that begins with `CREATE [OR REPLACE] FUNCTION` or
/// `PROCEDURE` and counts, outside parentheses, each `CASE` in the body, for that ends with `END`
/// too. Beyond psql, `BEGIN` alone begins no body, since it may be a name, and a word after `AS` or
/// a dot is a name whatever it says.
///
/// Source: PostgreSQL manual, "CREATE FUNCTION"; psql's lexer.
struct RoutineBody {
  /// How far the statement's first words agree with the beginning of a routine's definition.
  private enum Header { case start, create, or, replace, routine, other }
  /// What the word just before says about the next.
  private enum Before { case begin, label, other }

  private var header = Header.start
  private var before = Before.other
  private var depth = 0

  /// Whether the body has begun and not ended.
  var isOpen: Bool { depth > 0 }

  /// Takes note of the statement's next token, which is not a comment and not in parentheses.
  mutating func read(_ token: SQLScanner.Token, of scanner: SQLScanner) {
    guard token == .word else {
      before = token == .dot ? .label : .other
      return
    }
    if header == .routine { readBody(scanner) } else { readHeader(scanner) }
  }

  private mutating func readHeader(_ scanner: SQLScanner) {
    switch header {
    case .start: header = scanner.isAt("create") ? .create : .other
    case .create where scanner.isAt("or"): header = .or
    case .or: header = scanner.isAt("replace") ? .replace : .other
    case .create, .replace: header = Self.isRoutine(scanner) ? .routine : .other
    case .routine, .other: break
    }
  }

  private static func isRoutine(_ scanner: SQLScanner) -> Bool {
    scanner.isAt("function") || scanner.isAt("procedure")
  }

  private mutating func readBody(_ scanner: SQLScanner) {
    switch before {
    case .begin where depth == 0 && scanner.isAt("atomic"): depth = 1
    case .begin, .other: count(scanner)
    case .label: break
    }
    before = scanner.isAt("as") ? .label : scanner.isAt("begin") ? .begin : .other
  }

  private mutating func count(_ scanner: SQLScanner) {
    guard depth > 0 else { return }
    if scanner.isAt("case") { depth += 1 } else if scanner.isAt("end") { depth -= 1 }
  }
}
