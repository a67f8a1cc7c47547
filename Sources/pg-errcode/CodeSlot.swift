internal import PGErrorCodes

/// Where the lines of a log have their codes when nobody says where `%e` is.
///
/// Five digits may be a process's number. A word of the prefix is taken for a code only where words
/// that can be nothing else have stood: `00000`, or five digits and capital letters that are a
/// defined code, such as `42P01`. It must have the same number among the words of a prefix with as
/// many words, because the lines of background processes end at `%q`, and the same bytes around it.
struct CodeSlot {
  /// What prefixes of one length have taught.
  private struct Shape {
    /// How many words stand before the severity.
    var count = 0
    /// The number of the word that is the code; -1 if lines contradict each other.
    var number = -1
    /// The bytes before and behind the code; 0 is the line's start.
    var before: UInt8 = 0
    var behind: UInt8 = 0
  }

  /// A word of five characters that may be a code.
  private struct Candidate {
    var code = SQLState.successfulCompletion
    var number = 0
    var before: UInt8 = 0
    var behind: UInt8 = 0

    func stands(as shape: Shape) -> Bool {
      number == shape.number && before == shape.before && behind == shape.behind
    }
  }

  /// The words before a severity.
  private struct Words {
    var candidates = InlineArray<8, Candidate>(repeating: Candidate())
    var found = 0
    var count = 0
  }

  /// More words of five characters, and more lengths, than prefixes have.
  private static let maximumCount = 8

  private var shapes = InlineArray<8, Shape>(repeating: Shape())
  private var known = 0

  /// The code of a line whose severity begins at `severity`; what is evident is learned.
  mutating func code(
    in head: Piece.Head, before severity: Int, _ labels: CodeLabels
  ) -> SQLState? {
    let words = Self.words(head, before: severity)
    for index in 0..<words.found where Self.isEvident(words.candidates[index].code, labels) {
      learn(words.candidates[index], count: words.count)
      return words.candidates[index].code
    }
    return knownCode(words, labels)
  }

  /// The code, if it stands where it is known to.
  func knownCode(
    in head: Piece.Head, before severity: Int, _ labels: CodeLabels
  ) -> SQLState? {
    knownCode(Self.words(head, before: severity), labels)
  }

  private func knownCode(_ words: Words, _ labels: CodeLabels) -> SQLState? {
    guard let shape = shape(count: words.count) else { return nil }
    for index in 0..<words.found {
      let candidate = words.candidates[index]
      if candidate.stands(as: shape), labels.isKnown(candidate.code) { return candidate.code }
    }
    return nil
  }

  /// What prefixes of this length have taught; or else, if all shorter ones agree on the code's
  /// number, that the longer ones have it there too.
  private func shape(count: Int) -> Shape? {
    for index in 0..<known where shapes[index].count == count { return shapes[index] }
    var common: Shape?
    for index in 0..<known {
      let shape = shapes[index]
      guard shape.count < count, shape.number == common?.number ?? shape.number else { return nil }
      common = shape
    }
    return common
  }

  private mutating func learn(_ candidate: Candidate, count: Int) {
    for index in 0..<known where shapes[index].count == count {
      if !candidate.stands(as: shapes[index]) { shapes[index].number = -1 }
      return
    }
    guard known < Self.maximumCount else { return }
    shapes[known] = Shape(
      count: count, number: candidate.number, before: candidate.before, behind: candidate.behind)
    known += 1
  }

  private static func words(_ head: Piece.Head, before severity: Int) -> Words {
    var words = Words()
    var place = head.start
    while place < severity {
      guard ASCIIText.isWord(head.bytes[place]) else {
        place += 1
        continue
      }
      let start = place
      while place < severity, ASCIIText.isWord(head.bytes[place]) { place += 1 }
      if place - start == 5, words.found < maximumCount, let code = head.code(at: start) {
        words.candidates[words.found] = Candidate(
          code: code, number: words.count,
          before: start > head.start ? head.bytes[start - 1] : 0,
          behind: head.bytes[place])
        words.found += 1
      }
      words.count += 1
    }
    return words
  }

  private static func isEvident(_ code: SQLState, _ labels: CodeLabels) -> Bool {
    if code == .successfulCompletion { return true }
    let hasLetter = (0..<5).contains {
      UInt8(truncatingIfNeeded: code.packedBytes >> ($0 * 8)) > 0x39
    }
    return hasLetter && labels.isDefined(code)
  }
}
