/// What a version's text says, and what it leaves out: `16beta2` has no minor version.
///
/// In py-postgresql: what `versionstring.split` gives.
struct VersionParts: Hashable, Sendable, CustomStringConvertible {
  private(set) var major: Int?
  private(set) var minor: Int?
  private(set) var patch: Int?
  /// The word behind the numbers, such as `beta`.
  private(set) var state: String?
  /// The number behind the word.
  private(set) var level: Int?

  /// Reads a version; what a distribution writes behind a blank is not part of it.
  ///
  /// Text that is no version has no parts.
  init(_ text: some StringProtocol) {
    let word = text.drop { $0 == " " }.prefix { $0 != " " }
    let numbers = word.prefix { $0 == "." || Self.isDigit($0) }
    read(numbers: numbers)
    read(state: word.dropFirst(numbers.count))
  }

  private mutating func read(numbers: some StringProtocol) {
    guard !numbers.isEmpty else { return }
    // A number that is missing between two points is 0; more than three say nothing.
    let parts = numbers.split(separator: ".", omittingEmptySubsequences: false)
    let values = parts.prefix(3).map { $0.isEmpty ? 0 : Int($0) }
    major = values.first ?? nil
    minor = values.count > 1 ? values[1] : nil
    patch = values.count > 2 ? values[2] : nil
  }

  private mutating func read(state text: some StringProtocol) {
    let word = text.prefix { !Self.isDigit($0) }
    guard !word.isEmpty else { return }
    state = String(word)
    level = Int(text.dropFirst(word.count).prefix(while: Self.isDigit))
  }

  private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

  /// The version's text again.
  ///
  /// In py-postgresql: `versionstring.unsplit`.
  var description: String {
    let numbers = [major, minor, patch].compactMap(\.self).map(String.init)
    return numbers.joined(separator: ".") + (state ?? "") + (level.map(String.init) ?? "")
  }
}
