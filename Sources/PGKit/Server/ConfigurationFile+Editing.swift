// How a change finds its line: among all lines of that name, commented out or not, the one that
// holds the new value already is best, then one that is in force, then the first. The others that
// are in force are commented out, so that one remains.

extension ConfigurationFile {
  /// Makes several changes; a value of `nil` comments every line of that name out.
  ///
  /// Nothing else changes. What follows a value on its line and is no comment becomes one. A setting
  /// that has no line yet gets one at the end.
  ///
  /// In py-postgresql: `configfile.alter_config()`.
  public mutating func apply(_ changes: [(name: String, value: String?)]) {
    for change in changes { apply(Self.folded(change.name), change.name, change.value) }
  }

  private mutating func apply(_ folded: String, _ name: String, _ value: String?) {
    let places = lines.indices.filter { index in
      lines[index].entry.map { lines[index].name($0).lowercased() == folded } ?? false
    }
    let winner = value.flatMap { best(of: places, for: $0) }
    for place in places where place != winner { lines[place].commentOut() }
    guard let value else { return }
    if let winner { return lines[winner].set(to: value) }
    append(name, value)
  }

  private func best(of places: [Int], for value: String) -> Int? {
    func score(_ place: Int) -> Int {
      guard let entry = lines[place].entry else { return 0 }
      let isEqual = Self.unquoted(lines[place].value(entry)) == value
      return (entry.isCommented ? 0 : 1) + (isEqual ? 2 : 0)
    }
    return places.max { left, right in
      // The first of equals: `max` takes the last.
      (score(left), right) < (score(right), left)
    }
  }

  private mutating func append(_ name: String, _ value: String) {
    if let last = lines.last?.bytes.last, last != ASCII.newline {
      lines[lines.count - 1].bytes.append(ASCII.newline)
    }
    let trimmed = Line.trimmed(Array(name.utf8)[...])
    lines.append(Line(bytes: trimmed + Array(" = ".utf8) + Self.quoted(value)))
  }
}

extension ConfigurationFile.Line {
  fileprivate mutating func commentOut() {
    guard let entry, !entry.isCommented else { return }
    bytes.insert(UInt8(ascii: "#"), at: 0)
  }

  /// Writes a value into the line, and takes the line out of its comment.
  fileprivate mutating func set(to value: String) {
    guard let entry else { return }
    let start = entry.isCommented ? entry.name.lowerBound : 0
    bytes =
      bytes[start..<entry.value.lowerBound] + ConfigurationFile.quoted(value)
      + remainder(after: entry.value)
  }

  /// What follows a value: blanks and a comment stay; anything else could end up in a value, or be an
  /// error.
  private func remainder(after value: Range<Int>) -> [UInt8] {
    let isUnterminated = value.upperBound == bytes.count && bytes.last == ASCII.newline
    if isUnterminated, !value.isEmpty { return [ASCII.newline] }
    let comment = UInt8(ascii: "#")
    let rest = bytes[value.upperBound...]
    let glued = rest.prefix { !Self.isBlank($0) && !Self.isLineEnd($0) && $0 != comment }
    let blanks = rest[glued.endIndex...].prefix(while: Self.isBlank)
    let tail = rest[blanks.endIndex...]
    guard let first = tail.first, first != comment, !Self.isLineEnd(first) else {
      return Array(tail.allSatisfy(Self.isLineEnd) ? tail : blanks + tail)
    }
    return blanks + [comment] + tail
  }
}
