internal import PGErrorCodes

/// The beginning of a line of jsonlog.
///
/// Source: PostgreSQL manual, "Using JSON-Format Log Output": one object a line, its time first;
/// `state_code` stands before the message, and not at all where it is 00000.
enum JSONRecord {
  static func isBeginning(_ head: Piece.Head) -> Bool {
    head.has("{\"timestamp\":\"", at: head.start)
  }

  /// The value of `state_code`, and where it ends.
  static func code(in head: Piece.Head) -> (code: SQLState, end: Int)? {
    var place = head.start + 1
    while let key = endOfText(head, from: place), head.has(colon, at: key) {
      if head.has("\"state_code\":\"", at: place) {
        guard let code = head.code(at: key + 2), head.has(quote, at: key + 7) else { return nil }
        return (code, key + 8)
      }
      if head.has("\"message\":", at: place) { return nil }
      guard let end = endOfValue(head, from: key + 1), head.has(comma, at: end) else { return nil }
      place = end + 1
    }
    return nil
  }

  private static let quote = UInt8(ascii: "\"")
  private static let comma = UInt8(ascii: ",")
  private static let colon = UInt8(ascii: ":")

  /// Behind a text or a number; other values do not come before the message.
  private static func endOfValue(_ head: Piece.Head, from start: Int) -> Int? {
    if head.has(quote, at: start) { return endOfText(head, from: start) }
    var place = start
    while place < head.end, head.bytes[place] != comma, head.bytes[place] != UInt8(ascii: "}") {
      place += 1
    }
    return place < head.end ? place : nil
  }

  /// Behind the closing mark of the text that begins here.
  private static func endOfText(_ head: Piece.Head, from start: Int) -> Int? {
    guard head.has(quote, at: start) else { return nil }
    var place = start + 1
    while place < head.end {
      switch head.bytes[place] {
      case quote: return place + 1
      case UInt8(ascii: "\\"): place += 2
      default: place += 1
      }
    }
    return nil
  }
}
