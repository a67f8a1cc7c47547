internal import PGErrorCodes

/// Where the lines of a log have their codes when nobody says where `%e` is.
///
/// A word of five characters may be a process's number, or a name that a client chose. So the place
/// is told by many lines: whatever stands at the place of `%e` is a code in every line, 00000 before
/// `LOG` and never before `ERROR`, and not always the same. Places are counted from the line's start
/// among lines with as many words; where only times and numbers stand on one side of the code, they
/// are counted from there in all lines. What has been decided is not moved by later lines.
struct CodeSlot {
  /// Lines with the same number of words before the severity.
  private struct Shape {
    let count: Int
    var places: [PlaceTally] = []
    /// The place that was decided for.
    var chosen: PlaceTally?
    var hasQuietLines = false
    var isChosen: Bool { chosen != nil }

    var possible: [PlaceTally] { places.filter(\.isPossible) }
  }

  /// More lengths than prefixes have.
  private static let maximumCount = 16

  private var shapes: [Shape] = []
  /// The place in all lines, counted from the start, and the one counted from the severity.
  private var left: PlaceTally?
  private var right: (place: PlaceTally, distance: Int)?
  /// The fewest words among the shapes that were decided for.
  private var leastCount = Int.max
  private var isLeftRefuted = false
  private var isRightRefuted = false

  // MARK: Learning

  /// Takes a record into account; returns whether it may have taught something.
  mutating func observe(
    _ words: PrefixWords, _ kind: LineLabel.Kind, _ labels: CodeLabels
  ) -> Bool {
    guard let number = numberOfShape(words), shapes[number].chosen == nil else { return false }
    if kind == .quiet { shapes[number].hasQuietLines = true }
    // What is no code in one line is no place of codes.
    shapes[number].places.removeAll {
      words.code($0.index) == nil || !$0.stands(in: words, at: $0.index)
    }
    for index in shapes[number].places.indices {
      guard let code = words.code(shapes[number].places[index].index) else { continue }
      shapes[number].places[index].noteNeighbours(words)
      shapes[number].places[index].note(code, kind, isDefined: labels.isDefined(code))
    }
    return !shapes[number].places.isEmpty
  }

  /// The shape of a line; made if there is room for it.
  private mutating func numberOfShape(_ words: PrefixWords) -> Int? {
    if let number = shapes.firstIndex(where: { $0.count == words.count }) { return number }
    guard shapes.count < Self.maximumCount else { return nil }
    var shape = Shape(count: words.count)
    for index in 0..<words.count where words.code(index) != nil {
      shape.places.append(PlaceTally(index: index, in: words))
    }
    shapes.append(shape)
    return shapes.count - 1
  }

  /// Decides what can be decided.
  ///
  /// - Parameter isAll: Whether the log has no more lines. A code that is the same in all of them
  ///   then counts, unless lines of `LOG` have none.
  mutating func decide(isAll: Bool = false) {
    let areQuietLinesNamed = shapes.allSatisfy { !$0.hasQuietLines || !$0.possible.isEmpty }
    var hasChosen = false
    for number in shapes.indices where shapes[number].chosen == nil {
      var chosen = Self.choice(of: shapes[number].possible)
      if chosen == nil, isAll, areQuietLinesNamed, shapes[number].possible.count == 1 {
        chosen = shapes[number].possible.first { $0.hasLetters }
      }
      shapes[number].chosen = chosen
      if chosen != nil { hasChosen = true }
    }
    if hasChosen { generalize() }
  }

  /// The one place of several that must be that of the code.
  private static func choice(of places: [PlaceTally]) -> PlaceTally? {
    if places.count == 1 { return places[0].isEvident ? places[0] : nil }
    let successes = places.filter(\.hasSuccesses)
    if successes.count == 1 { return successes[0] }
    let varied = places.filter(\.isVaried)
    return varied.count == 1 ? varied[0] : nil
  }

  /// Finds what the places that were decided for have in common.
  private mutating func generalize() {
    let chosen = shapes.compactMap { shape in shape.chosen.map { (shape.count, $0) } }
    guard let (count, first) = chosen.first else { return }
    leastCount = chosen.reduce(count) { min($0, $1.0) }
    func isSame(_ place: PlaceTally) -> Bool {
      place.before == first.before && place.behind == first.behind
    }
    let isLeft = chosen.allSatisfy { isSame($1) && $1.isLeftFirm && $1.index == first.index }
    left = isLeft && !isLeftRefuted ? first : nil
    let distance = count - first.index
    let isRight = chosen.allSatisfy { isSame($1) && $1.isRightFirm && $0 - $1.index == distance }
    right = isRight && !isRightRefuted ? (first, distance) : nil
  }

  // MARK: Reading

  /// Whether no line can teach anything more.
  var isSettled: Bool { left != nil || right != nil }

  /// Whether the client may have put words before the code, such as another severity.
  var hasNamesBefore: Bool { left == nil }

  /// Finds the code of a line.
  func read(_ words: PrefixWords, _ kind: LineLabel.Kind, _ labels: CodeLabels) -> CodeReading {
    let shape = shapes.indices.first { shapes[$0].count == words.count }
    if let left {
      let first = code(left, words, at: left.index, kind, labels, shape)
      guard let right else { return reading(first, words, left.index) }
      let index = words.count - right.distance
      let second = code(right.place, words, at: index, kind, labels, shape)
      if let first, let second, first != second { return .undecided }
      return first != nil ? .code(words.start(left.index)) : reading(second, words, index)
    }
    if let right {
      let index = words.count - right.distance
      return reading(code(right.place, words, at: index, kind, labels, shape), words, index)
    }
    if let shape, let chosen = shapes[shape].chosen {
      let index = chosen.index
      return reading(code(chosen, words, at: index, kind, labels, shape), words, index)
    }
    let isOpen = shape.map { !shapes[$0].possible.isEmpty } ?? (shapes.count == Self.maximumCount)
    return isOpen ? .undecided : .noCode
  }

  private func reading(_ code: SQLState?, _ words: PrefixWords, _ index: Int) -> CodeReading {
    code == nil ? .noCode : .code(words.start(index))
  }

  /// Notes where a line refutes that all lines have their code at one place.
  mutating func refute(_ words: PrefixWords, _ kind: LineLabel.Kind) {
    guard let left, let right else { return }
    let index = words.count - right.distance
    guard index != left.index, index >= 0 else { return }
    if isRefuted(left, words, at: left.index, kind) {
      isLeftRefuted = true
      self.left = nil
    } else if isRefuted(right.place, words, at: index, kind) {
      isRightRefuted = true
      self.right = nil
    }
  }

  private func isRefuted(
    _ place: PlaceTally, _ words: PrefixWords, at index: Int, _ kind: LineLabel.Kind
  ) -> Bool {
    guard index < words.count, place.stands(in: words, at: index) else { return false }
    return words.code(index).map { !PlaceTally.fits($0, kind) } ?? true
  }

  /// The code at a place, if a line like this one may have it there.
  private func code(
    _ place: PlaceTally, _ words: PrefixWords, at index: Int, _ kind: LineLabel.Kind,
    _ labels: CodeLabels, _ shape: Int?
  ) -> SQLState? {
    guard index >= 0, index < words.count, place.stands(in: words, at: index),
      let code = words.code(index), PlaceTally.fits(code, kind)
    else { return nil }
    if let shape, shapes[shape].isChosen { return code }
    // Lines of background processes are shorter, and five digits may be a process's number.
    guard words.count >= leastCount, labels.isKnown(code) else { return nil }
    if kind == .quiet, code != .successfulCompletion, !PlaceTally.hasLetters(code) { return nil }
    guard let shape else { return code }
    return shapes[shape].places.contains { $0.index == index && $0.isFree } ? code : nil
  }
}
