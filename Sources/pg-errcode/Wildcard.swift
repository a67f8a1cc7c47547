/// A pattern for codes and names: `*` is any text, `?` any one character, letters large or small.
struct Wildcard {
  private let pattern: [UInt8]

  /// Makes a pattern; `nil` if the text has no wildcard.
  init?(_ text: String) {
    guard text.utf8.contains(where: { $0 == Self.any || $0 == Self.one }) else { return nil }
    pattern = Array(text.lowercased().utf8)
  }

  func matches(_ text: String) -> Bool {
    let text = Array(text.lowercased().utf8)
    var index = 0
    var place = 0
    // Where to go on after the last star, when what follows it does not match here.
    var star: (pattern: Int, text: Int)?
    while place < text.count {
      if index < pattern.count, pattern[index] == Self.any {
        star = (index, place)
        index += 1
      } else if index < pattern.count, pattern[index] == Self.one || pattern[index] == text[place] {
        index += 1
        place += 1
      } else if let last = star {
        star = (last.pattern, last.text + 1)
        index = last.pattern + 1
        place = last.text + 1
      } else {
        return false
      }
    }
    return pattern[index...].allSatisfy { $0 == Self.any }
  }

  private static let any = UInt8(ascii: "*")
  private static let one = UInt8(ascii: "?")
}
