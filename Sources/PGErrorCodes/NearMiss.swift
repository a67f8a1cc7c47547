/// What somebody may have meant who wrote a code or a name that is not defined.
package enum NearMiss {
  /// More would not be a suggestion any more.
  package static let limit = 3

  /// Longer names have no neighbours among the table's.
  private static let maximumNameLength = 80

  /// The defined codes that `code` becomes when letters and digits that look alike are exchanged
  /// (`O` for `0`, `I` for `1`), or two neighbours change places.
  package static func codes(for code: SQLState, in catalogue: ErrorCatalogue) -> [SQLState] {
    var found: [SQLState] = []
    for near in lookalikes(of: code) + transpositions(of: code)
    where near != code && !found.contains(near) && catalogue.isDefined(near) {
      found.append(near)
    }
    return Array(found.prefix(limit))
  }

  /// The names that differ from `name` in one or two letters, as they are written, nearest first.
  package static func names(for name: String, in catalogue: ErrorCatalogue) -> [String] {
    let key = Array(SQLState.key(name).utf8)
    guard key.count > 3, key.count <= maximumNameLength else { return [] }
    let allowed = key.count < 8 ? 1 : 2
    var found: [(distance: Int, name: String)] = []
    for definition in catalogue.definitions {
      for spelling in [definition.condition, definition.name].compactMap({ $0 }) {
        let other = Array(SQLState.key(spelling).utf8)
        guard abs(other.count - key.count) <= allowed else { continue }
        let distance = distance(key, other)
        if distance <= allowed, !found.contains(where: { $0.name == spelling }) {
          found.append((distance, spelling))
        }
      }
    }
    return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(limit).map(
      \.name)
  }

  /// The word nearest to a text of letters that differs from it in one or two of them; `nil` if none
  /// does.
  package static func word(for text: String, among words: [String]) -> String? {
    guard text.utf8.count > 2, text.utf8.count <= maximumNameLength,
      text.utf8.allSatisfy(ASCIIText.isLetter)
    else { return nil }
    let key = Array(text.lowercased().utf8)
    var nearest: String?
    var least = key.count < 5 ? 1 : 2
    for word in words {
      let distance = distance(key, Array(word.utf8))
      if distance < least || nearest == nil && distance == least {
        least = distance
        nearest = word
      }
    }
    return nearest
  }

  private static func lookalikes(of code: SQLState) -> [SQLState] {
    var variants = [code]
    for place in 0..<SQLState.length {
      guard let other = lookalike(code[place]) else { continue }
      for variant in variants { variants.append(variant.with(other, at: place)) }
    }
    return variants
  }

  private static func lookalike(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "O"), UInt8(ascii: "Q"): UInt8(ascii: "0")
    case UInt8(ascii: "0"): UInt8(ascii: "O")
    case UInt8(ascii: "I"), UInt8(ascii: "L"): UInt8(ascii: "1")
    case UInt8(ascii: "1"): UInt8(ascii: "L")
    case UInt8(ascii: "S"): UInt8(ascii: "5")
    case UInt8(ascii: "B"): UInt8(ascii: "8")
    case UInt8(ascii: "8"): UInt8(ascii: "B")
    case UInt8(ascii: "Z"): UInt8(ascii: "2")
    default: nil
    }
  }

  private static func transpositions(of code: SQLState) -> [SQLState] {
    var variants: [SQLState] = []
    for place in 1..<SQLState.length {
      variants.append(code.with(code[place - 1], at: place).with(code[place], at: place - 1))
    }
    return variants
  }

  /// How many letters are to be changed, added, left out, or exchanged with their neighbour.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var older: [Int] = []
    var last = Array(0...right.count)
    for (i, letter) in left.enumerated() {
      var next = [i + 1]
      for (j, other) in right.enumerated() {
        var best = min(last[j + 1] + 1, next[j] + 1, last[j] + (letter == other ? 0 : 1))
        if i > 0, j > 0, letter == right[j - 1], left[i - 1] == other {
          best = min(best, older[j - 1] + 1)
        }
        next.append(best)
      }
      older = last
      last = next
    }
    return last[right.count]
  }
}

extension SQLState {
  fileprivate static let length = 5

  /// The character at a place, the first at 0.
  fileprivate subscript(place: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: packed >> SQLState.shift(place))
  }

  /// The code with another character at a place.
  fileprivate func with(_ byte: UInt8, at place: Int) -> SQLState {
    let shift = SQLState.shift(place)
    return SQLState(packed: packed & ~(0xFF << shift) | UInt64(byte) << shift)
  }

  private static func shift(_ place: Int) -> Int { 8 * (length - 1 - place) }
}
