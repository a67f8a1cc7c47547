internal import Glibc
internal import PGErrorCodes

/// A line of jsonlog: one object.
///
/// Source: PostgreSQL manual, "Using JSON-Format Log Output". The server writes the time first, no
/// blanks, and no `state_code` where it is 00000; what other programs have passed on may have its
/// members in any order, with blanks between.
struct JSONRecord {
  /// The code, and where its value ends.
  private(set) var code: (state: SQLState, end: Int)?
  /// Whether the object has the names of its code already.
  private(set) var isNamed = false

  /// How much of a line is read.
  ///
  /// It has to be there whole until the code comes, and messages may be long.
  static let headLimit = 256 * 1024

  /// Whether the line may be an object: the rest is read by ``init(_:)``.
  static func isObject(_ head: Piece.Head) -> Bool {
    head.has(brace, at: endOfBlanks(head, from: head.start))
  }

  /// Whether the line begins as those of the server do.
  static func isServers(_ head: Piece.Head) -> Bool {
    head.has("{\"timestamp\":\"", at: head.start)
  }

  /// Reads the members; `nil` if the object is not a record of a log.
  init?(_ head: Piece.Head) {
    var isRecord = false
    var place = Self.endOfBlanks(head, from: head.start) + 1
    while let colon = Self.endOfKey(head, from: place) {
      let value = Self.endOfBlanks(head, from: colon + 1)
      readMember(head, Self.endOfBlanks(head, from: place), value, &isRecord)
      guard let end = Self.endOfValue(head, from: value) else { break }
      let comma = Self.endOfBlanks(head, from: end)
      guard head.has(Self.comma, at: comma) else { break }
      place = comma + 1
    }
    guard isRecord else { return nil }
  }

  private mutating func readMember(
    _ head: Piece.Head, _ key: Int, _ value: Int, _ isRecord: inout Bool
  ) {
    if head.has("\"state_code\"", at: key) {
      guard code == nil, head.has(Self.quote, at: value), let state = head.code(at: value + 1),
        head.has(Self.quote, at: value + 6)
      else { return }
      code = (state, value + 7)
    } else if head.has("\"state_condition\"", at: key) || head.has("\"state_class\"", at: key) {
      isNamed = true
    } else if head.has("\"error_severity\"", at: key) || head.has("\"timestamp\"", at: key) {
      isRecord = true
    }
  }

  // MARK: Scanning

  private static let quote = UInt8(ascii: "\"")
  private static let comma = UInt8(ascii: ",")
  private static let colonByte = UInt8(ascii: ":")
  private static let brace = UInt8(ascii: "{")

  /// The colon behind a key.
  private static func endOfKey(_ head: Piece.Head, from start: Int) -> Int? {
    guard let end = endOfText(head, from: endOfBlanks(head, from: start)) else { return nil }
    let colon = endOfBlanks(head, from: end)
    return head.has(colonByte, at: colon) ? colon : nil
  }

  private static func endOfBlanks(_ head: Piece.Head, from start: Int) -> Int {
    var place = start
    while place < head.end, head.bytes[place] == 0x20 || head.bytes[place] == 0x09 { place += 1 }
    return place
  }

  /// Behind a text, a number, a word, an array or an object.
  private static func endOfValue(_ head: Piece.Head, from start: Int) -> Int? {
    if head.has(quote, at: start) { return endOfText(head, from: start) }
    var depth = 0
    var place = start
    while place < head.end {
      switch head.bytes[place] {
      case quote:
        guard let end = endOfText(head, from: place) else { return nil }
        place = end
        continue
      case brace, UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return place }
        depth -= 1
      case comma where depth == 0: return place
      default: break
      }
      place += 1
    }
    return nil
  }

  /// Behind the closing mark of the text that begins here.
  private static func endOfText(_ head: Piece.Head, from start: Int) -> Int? {
    guard head.has(quote, at: start) else { return nil }
    var place = start + 1
    while place < head.end,
      let found = memchr(head.bytes + place, Int32(quote), head.end - place)
    {
      let mark = UnsafeRawPointer(found) - UnsafeRawPointer(head.bytes)
      var slashes = 0
      while mark - slashes > place, head.bytes[mark - slashes - 1] == UInt8(ascii: "\\") {
        slashes += 1
      }
      if slashes % 2 == 0 { return mark + 1 }
      place = mark + 1
    }
    return nil
  }
}
