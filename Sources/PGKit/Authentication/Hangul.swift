/// Hangul syllables, whose parts are computed (The Unicode Standard, section 3.12).
enum Hangul {
  private static let syllables: UInt32 = 0xAC00
  private static let leading: UInt32 = 0x1100
  private static let vowels: UInt32 = 0x1161
  /// One before the first trailing consonant: index 0 stands for none.
  private static let trailing: UInt32 = 0x11A7
  private static let leadingCount: UInt32 = 19
  private static let vowelCount: UInt32 = 21
  private static let trailingCount: UInt32 = 28
  private static let syllableCount = leadingCount * vowelCount * trailingCount

  /// The two or three parts of a syllable; `nil` if `code` is none.
  static func decompose(_ code: UInt32) -> [UInt32]? {
    let index = code &- syllables
    guard index < syllableCount else { return nil }
    let parts = [
      leading + index / (vowelCount * trailingCount),
      vowels + index % (vowelCount * trailingCount) / trailingCount,
    ]
    let last = index % trailingCount
    return last == 0 ? parts : parts + [trailing + last]
  }

  /// The syllable of a consonant and a vowel, or of such a syllable and a trailing consonant.
  static func compose(_ first: UInt32, _ second: UInt32) -> UInt32? {
    let consonant = first &- leading
    let vowel = second &- vowels
    if consonant < leadingCount, vowel < vowelCount {
      return syllables + (consonant * vowelCount + vowel) * trailingCount
    }
    let open = first &- syllables
    let last = second &- trailing
    guard open < syllableCount, open.isMultiple(of: trailingCount), last > 0,
      last < trailingCount
    else { return nil }
    return first + last
  }
}
