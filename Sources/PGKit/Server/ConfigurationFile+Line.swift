extension ConfigurationFile {
  /// One line, with its line end.
  struct Line: Sendable, Hashable {
    var bytes: [UInt8]

    /// Where the parts of a setting stand in a line, commented out or not.
    struct Entry: Hashable {
      let name: Range<Int>
      let value: Range<Int>
      /// Whether a `#` stands before the name.
      let isCommented: Bool
    }

    /// Instructions that look like settings.
    static let inclusions: Set<String> = ["include", "include_if_exists", "include_dir"]
  }
}

extension ConfigurationFile.Line {
  /// The setting in the line, if there is one.
  ///
  /// Where the setting is in force, the sign between name and value may be missing. In a comment it
  /// may not, because nearly every comment would then be a setting.
  var entry: Entry? {
    var place = 0
    skip(&place) { $0 == UInt8(ascii: "#") || Self.isBlank($0) }
    let isCommented = bytes[..<place].contains(UInt8(ascii: "#"))
    let start = place
    skip(&place) { !Self.endsName($0) }
    let name = start..<place
    skip(&place, Self.isBlank)
    if place < bytes.count, bytes[place] == UInt8(ascii: "=") {
      place += 1
      skip(&place, Self.isBlank)
    } else if isCommented || name.isEmpty || isInclusion(name) || !isValue(at: place) {
      return nil
    }
    return Entry(name: name, value: value(from: place), isCommented: isCommented)
  }

  func name(_ entry: Entry) -> String { String(decoding: bytes[entry.name], as: UTF8.self) }

  /// The value as it is written.
  func value(_ entry: Entry) -> String { String(decoding: bytes[entry.value], as: UTF8.self) }

  private func isInclusion(_ name: Range<Int>) -> Bool {
    Self.inclusions.contains(String(decoding: bytes[name], as: UTF8.self).lowercased())
  }

  private func isValue(at place: Int) -> Bool {
    place < bytes.count && !Self.isLineEnd(bytes[place]) && bytes[place] != UInt8(ascii: "#")
  }

  /// A value in quotes to its last quote, else to a blank, a comment or the line's end; one whose
  /// quotes never end takes the line's end with it.
  private func value(from start: Int) -> Range<Int> {
    var place = start
    guard place < bytes.count, bytes[place] == ASCII.quote else {
      skip(&place) { !Self.isBlank($0) && !Self.isLineEnd($0) && $0 != UInt8(ascii: "#") }
      return start..<place
    }
    place += 1
    while place < bytes.count {
      switch bytes[place] {
      case ASCII.backslash: place += 2
      case ASCII.quote where place + 1 < bytes.count && bytes[place + 1] == ASCII.quote: place += 2
      case ASCII.quote: return start..<(place + 1)
      default: place += 1
      }
    }
    return start..<bytes.count
  }

  private func skip(_ place: inout Int, _ isSkipped: (UInt8) -> Bool) {
    while place < bytes.count, isSkipped(bytes[place]) { place += 1 }
  }

  static func isBlank(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }

  static func isLineEnd(_ byte: UInt8) -> Bool {
    byte == ASCII.newline || byte == ASCII.carriageReturn
  }

  private static func endsName(_ byte: UInt8) -> Bool {
    isBlank(byte) || isLineEnd(byte) || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "#")
      || byte == ASCII.quote
  }

  static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes
    while let last = bytes.last, isBlank(last) || isLineEnd(last) { bytes.removeLast() }
    return bytes.drop { isBlank($0) || isLineEnd($0) }
  }
}
