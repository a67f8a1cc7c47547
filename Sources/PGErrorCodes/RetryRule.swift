/// Whether the same may be done again after an error, and why.
///
/// Never a bare yes or no: what is to be done again is a statement, or the whole transaction, or
/// nothing before one has looked.
public struct RetryRule: Hashable, Sendable {
  /// The answer in one word.
  public enum Answer: String, Hashable, Sendable, CaseIterable {
    /// Nothing took effect, and the same may succeed at once.
    case now = "retryable-now"
    /// Nothing took effect, and the same may succeed when something has changed.
    case later = "retryable-later"
    /// It may have taken effect: look before doing it again.
    case ambiguous = "ambiguous"
    /// The same will fail again, or nothing failed.
    case no = "no"

    /// Reads the short word of tables and files: `now`, `later`, `ambiguous`, `no`.
    init?(word: some StringProtocol) {
      switch word {
      case "now", "retryable-now": self = .now
      case "later", "retryable-later": self = .later
      case "ambiguous": self = .ambiguous
      case "no": self = .no
      default: return nil
      }
    }

    /// The short word.
    var word: String {
      switch self {
      case .now: "now"
      case .later: "later"
      case .ambiguous: "ambiguous"
      case .no: "no"
      }
    }
  }

  /// The answer.
  public let answer: Answer
  /// Why, as one sentence.
  public let reason: String

  /// Makes a rule of one's own, for an application's code.
  public init(_ answer: Answer, reason: String) {
    self.answer = answer
    self.reason = reason
  }

  /// Whether nothing took effect, so that the same may be done again: now or later.
  public var isRetryable: Bool { answer == .now || answer == .later }

  /// Reads a line of the table: code or class and the word, then the reason behind a tab.
  init?(line: Substring) {
    let fields = SortedLines.fields(of: line)
    guard fields.count == 2, let word = SortedLines.words(of: fields[0][...]).last,
      let answer = Answer(word: word)
    else { return nil }
    self.answer = answer
    reason = fields[1]
  }
}

extension SQLState {
  /// Whether the same may be done again after this code, defined or not.
  ///
  /// The code's own rule counts, or else that of its class; of an unknown class nothing is known, so
  /// the answer is no.
  public var retry: RetryRule { ownRetry ?? retryOfClass }

  /// The rule of the code's class.
  var retryOfClass: RetryRule {
    SortedLines(SQLStateTable.retries).line(of: classCharacters).flatMap(RetryRule.init(line:))
      ?? RetryRule(.no, reason: "Nothing is known of the class.")
  }

  /// The rule of this very code; `nil` if that of its class counts.
  var ownRetry: RetryRule? {
    SortedLines(SQLStateTable.retries).line(of: description).flatMap(RetryRule.init(line:))
  }
}
