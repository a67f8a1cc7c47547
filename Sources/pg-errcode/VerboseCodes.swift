internal import PGErrorCodes

/// The codes that `log_error_verbosity = verbose` puts before messages.
///
/// A message may begin like that by itself, so they count only where every message has one, or where
/// the line `LOCATION` of such logs has stood below one.
struct VerboseCodes {
  private var tally = PlaceTally(index: 0)
  private var hasExceptions = false
  private var hasLocations = false
  private var wasLast = false
  private(set) var isTrusted = false

  /// Takes a line into account.
  mutating func observe(_ head: Piece.Head, _ label: LineLabel, _ labels: CodeLabels) {
    guard !isTrusted else { return }
    if label.kind == .location, wasLast { hasLocations = true }
    guard label.isSeverity else { return }
    if let code = Self.code(in: head, label) {
      tally.note(code, label.kind, isDefined: labels.isDefined(code))
      wasLast = true
    } else {
      hasExceptions = true
      wasLast = false
    }
  }

  /// Decides whether what stands before the messages are codes.
  mutating func decide(isAll: Bool) {
    let isEvident = tally.isEvident || isAll && tally.hasLetters
    if hasLocations || !hasExceptions && tally.isPossible && isEvident { isTrusted = true }
  }

  /// The five characters before a message.
  static func code(in head: Piece.Head, _ label: LineLabel) -> SQLState? {
    guard label.isSeverity, head.has(": ", at: label.end + 5) else { return nil }
    return head.code(at: label.end)
  }
}
