internal import PGErrorCodes

/// What speaks for one place of a line being that of the code, and what against it.
struct PlaceTally {
  /// What may stand before `LOG`: success, warnings, and what the server notes without failing.
  private static let quietClasses: [SQLState] = [
    "00000", "01000", "08000", "28000", "53000", "54000", "55000", "57000", "58000", "F0000",
    "XX000",
  ]

  /// The number of the word.
  let index: Int
  /// The bytes before and behind the word.
  let before: UInt8
  let behind: UInt8
  /// Whether the words before the place, and behind it, are times and numbers only.
  private(set) var isLeftFirm = true
  private(set) var isRightFirm = true

  private var lines = 0
  private var defined = 0
  /// How many quiet lines have 00000 here, and how many what does not fit them.
  private var successes = 0
  private var oddities = 0
  private var isContradicted = false
  private var first: SQLState?
  private(set) var isVaried = false
  private(set) var hasLetters = false

  init(index: Int, in words: PrefixWords) {
    self.init(
      index: index, before: words.byteBefore(index), behind: words.byteBehind(index))
  }

  init(index: Int, before: UInt8 = 0, behind: UInt8 = 0) {
    self.index = index
    self.before = before
    self.behind = behind
  }

  /// Whether the word of this number stands between the same bytes.
  func stands(in words: PrefixWords, at index: Int) -> Bool {
    words.byteBefore(index) == before && words.byteBehind(index) == behind
  }

  mutating func noteNeighbours(_ words: PrefixWords) {
    if isLeftFirm { isLeftFirm = words.areMechanical(0..<index) }
    if isRightFirm { isRightFirm = words.areMechanical(index + 1..<words.count) }
  }

  /// Counts a line that has `code` here.
  mutating func note(_ code: SQLState, _ kind: LineLabel.Kind, isDefined: Bool) {
    lines += 1
    if isDefined { defined += 1 }
    if code == .successfulCompletion {
      if kind == .quiet { successes += 1 }
      if kind == .fault { isContradicted = true }
    } else if isDefined {
      if !Self.fits(code, kind) { oddities += 1 }
      if Self.hasLetters(code) { hasLetters = true }
      if let first, first != code { isVaried = true }
      first = first ?? code
    }
  }

  /// Whether nothing speaks against the place.
  var isPossible: Bool { isFree && defined * 2 > lines }

  /// Whether no line contradicts the place, even if none speaks for it.
  var isFree: Bool { !isContradicted && oddities <= successes }

  var hasSuccesses: Bool { successes > 0 }

  /// Whether the words here can be nothing but codes: 00000 before `LOG`, or several codes.
  var isEvident: Bool { successes > 0 || isVaried }

  /// Whether a message of this kind may have the code.
  static func fits(_ code: SQLState, _ kind: LineLabel.Kind) -> Bool {
    switch kind {
    case .fault: code != .successfulCompletion
    case .quiet: code == .successfulCompletion || quietClasses.contains { $0 ~= code }
    case .warning, .further, .location, .unknown: true
    }
  }

  /// Whether the code cannot be a number.
  static func hasLetters(_ code: SQLState) -> Bool {
    (0..<5).contains { UInt8(truncatingIfNeeded: code.packedBytes >> ($0 * 8)) > 0x39 }
  }
}
