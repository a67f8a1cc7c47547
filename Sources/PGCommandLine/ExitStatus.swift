/// What the status of a program says.
///
/// One table for all five programs, printed by every `--help`.
///
/// A program that is ended by signal n dies by that signal, which a shell shows as 128 + n.
public enum ExitStatus: Int32, CaseIterable, Sendable {
  /// The work is done, and every byte of stdout was accepted.
  case ok = 0
  /// Something local failed: a file, the disk, stdout, the program itself.
  case localFailure = 1
  /// No connection, authentication refused, or connection lost.
  case connection = 2
  /// The server refused a statement.
  case refused = 3
  /// A deadline passed.
  case deadline = 4
  /// At least one target has committed and at least one has not.
  case partial = 5
  /// The answer is no.
  case negative = 6
  /// The command line is wrong.
  case usage = 64
  /// `run -- command`: the program's own part failed before the command started.
  case ownPartFailed = 125
  /// `run -- command`: the command was found but cannot be executed.
  case notExecutable = 126
  /// `run -- command`: the command was not found.
  case notFound = 127

  /// The meaning in one line.
  public var meaning: String {
    switch self {
    case .ok: "done, and every byte of stdout was accepted"
    case .localFailure: "local failure: file, disk full, stdout, internal error"
    case .connection: "could not connect, authentication refused, or connection lost"
    case .refused: "the server refused a statement (its SQLSTATE is on stderr)"
    case .deadline: "a deadline passed"
    case .partial: "partial: at least one target committed and at least one did not"
    case .negative: "negative answer: no rows, assertion false, unknown SQLSTATE"
    case .usage: "usage"
    case .ownPartFailed: "run -- command: our own part failed before the command started"
    case .notExecutable: "run -- command: the command cannot be executed"
    case .notFound: "run -- command: the command was not found"
    }
  }

  /// The table for a program's help.
  public static var table: String {
    let lines = allCases.reduce("EXIT STATUS:") { text, status in
      let number = String(status.rawValue)
      let gap = String(repeating: " ", count: 6 - number.utf8.count)
      return text + "\n  " + number + gap + status.meaning
    }
    return lines + "\n  128+n ended by signal n"
  }
}
