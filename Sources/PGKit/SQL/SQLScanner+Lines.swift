// What is read line by line rather than as SQL: data behind a COPY, and lines that are psql's.

extension SQLScanner {
  /// Takes the lines behind the one where the scanner stands, up to a line `\.` or the end.
  ///
  /// - Throws: ``PGError`` with ``SQLState/syntaxError`` if the rest of this line says anything.
  mutating func takeCopyData() throws(PGError) -> ArraySlice<UInt8> {
    let rest = line(at: position)
    guard rest.isBlank else {
      throw PGError(
        code: .syntaxError, message: "a statement stands on the line of a COPY … FROM STDIN",
        fault: .caller, hint: "The data begins on the next line, so put the statement behind it.")
    }
    position = rest.next
    let start = position
    while position < bytes.count {
      let line = line(at: position)
      if isEndOfData(line.range) {
        defer { position = line.next }
        return bytes[start..<position]
      }
      position = line.next
    }
    return bytes[start..<position]
  }

  /// Skips the lines `\restrict` and `\unrestrict` with which pg_dump keeps psql from running
  /// commands of its own; here, there are none.
  mutating func skipRestrictions() {
    while bytes[position...].starts(with: Array("\\restrict ".utf8))
      || bytes[position...].starts(with: Array("\\unrestrict ".utf8))
    {
      position = line(at: position).next
      skipByteOrderMarks()
    }
  }

  private struct Line {
    let range: Range<Int>
    /// Where the next one begins.
    let next: Int
    /// Whether it holds blanks and a comment at most.
    let isBlank: Bool
  }

  private func line(at start: Int) -> Line {
    let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
    let text = bytes[start..<end].drop { $0 == UInt8(ascii: " ") || $0 &- 9 < 5 }
    return Line(
      range: start..<end, next: min(end + 1, bytes.count),
      isBlank: text.isEmpty || text.starts(with: Array("--".utf8)))
  }

  private func isEndOfData(_ range: Range<Int>) -> Bool {
    let line = bytes[range]
    return line.elementsEqual(Array("\\.".utf8)) || line.elementsEqual(Array("\\.\r".utf8))
  }
}
