internal import Glibc
internal import PGErrorCodes

/// The beginning of a record of csvlog.
///
/// Source: PostgreSQL manual, "Using CSV-Format Log Output": the time first, the SQLSTATE in the
/// thirteenth column, and then the message, which is always quoted.
enum CSVRecord {
  private static let codeColumn = 12
  private static let comma = UInt8(ascii: ",")
  private static let quote = UInt8(ascii: "\"")

  /// The code of the record that begins here; `nil` if none does.
  static func code(in head: Piece.Head) -> SQLState? {
    guard beginsWithTime(head), let place = place(ofColumn: codeColumn, in: head),
      let code = head.code(at: place), head.has(comma, at: place + 5),
      hasMessage(head, at: place + 6)
    else { return nil }
    return code
  }

  /// `2026-11-21 13:18:47.123 UTC,`.
  private static func beginsWithTime(_ head: Piece.Head) -> Bool {
    let zone = head.start + 24
    // A line of stderr has a blank where the column ends.
    guard head.end > zone, memchr(head.bytes + zone, Int32(comma), min(16, head.end - zone)) != nil
    else { return false }
    let pattern: StaticString = "0000-00-00 00:00:00.000 "
    let expected = pattern.utf8Start
    for offset in 0..<24 {
      let byte = head.bytes[head.start + offset]
      let isDigit = ByteKinds(of: byte).contains(.digit)
      guard expected[offset] == 0x30 ? isDigit : byte == expected[offset] else { return false }
    }
    // Behind the zone's name or offset, the column ends.
    var place = zone
    while place < head.end, place < head.start + 40 {
      let byte = head.bytes[place]
      if byte == comma { return true }
      guard ASCIIText.isWord(byte) || [0x2B, 0x2D, 0x3A, 0x2F].contains(byte) else { return false }
      place += 1
    }
    return false
  }

  /// Where a column begins; `nil` if the columns before it are not well formed.
  private static func place(ofColumn column: Int, in head: Piece.Head) -> Int? {
    var place = head.start
    for _ in 0..<column {
      if head.has(quote, at: place) {
        guard let end = endOfQuoted(head, from: place + 1) else { return nil }
        place = end
      } else {
        while place < head.end, head.bytes[place] != comma {
          if head.bytes[place] == quote { return nil }
          place += 1
        }
      }
      guard head.has(comma, at: place) else { return nil }
      place += 1
    }
    return place
  }

  /// Where the text ends whose opening mark is behind us: behind its closing mark.
  private static func endOfQuoted(_ head: Piece.Head, from start: Int) -> Int? {
    var place = start
    while place < head.end {
      if head.bytes[place] == quote {
        guard head.has(quote, at: place + 1) else { return place + 1 }
        place += 1
      }
      place += 1
    }
    return nil
  }

  /// Whether a quoted text begins here, and not a record that is quoted within another's column,
  /// where every mark is doubled.
  private static func hasMessage(_ head: Piece.Head, at place: Int) -> Bool {
    var marks = 0
    while head.has(quote, at: place + marks) { marks += 1 }
    return marks % 2 == 1
  }
}
