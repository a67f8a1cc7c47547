internal import Glibc
internal import PGErrorCodes

/// Borrowed bytes of a log, and the searches that a log needs.
struct Piece {
  /// The beginning of a line, without its newline, and no longer than ``LogFilter/headLimit``.
  struct Head {
    let bytes: UnsafePointer<UInt8>
    /// Where it begins and ends.
    let start: Int
    let end: Int
  }

  let bytes: UnsafePointer<UInt8>
  let count: Int

  /// The place of the next newline.
  func newline(from place: Int) -> Int? {
    guard place < count else { return nil }
    guard let found = memchr(bytes + place, 0x0A, count - place) else { return nil }
    return UnsafeRawPointer(found) - UnsafeRawPointer(bytes)
  }

  /// The head of the line that begins here; `nil` if it is not all there yet.
  func head(
    from place: Int, to newline: Int?, isLast: Bool, limit: Int = LogFilter.headLimit
  ) -> Head? {
    let end = newline ?? count
    if newline == nil, !isLast, end - place < limit { return nil }
    return Head(bytes: bytes, start: place, end: min(end, place + limit))
  }

  /// The end of a line before its newline, which may have a carriage return before it.
  func endOfLine(before newline: Int) -> Int {
    newline > 0 && bytes[newline - 1] == 0x0D ? newline - 1 : newline
  }

  /// Whether what lies between the two places ends with the text.
  func has(_ text: [UInt8], from start: Int, endingAt end: Int) -> Bool {
    guard end - start >= text.count else { return false }
    return text.withUnsafeBytes { text in
      guard let first = text.baseAddress else { return false }
      return memcmp(bytes + end - text.count, first, text.count) == 0
    }
  }

  func part(from start: Int, to end: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: bytes + start, count: end - start)
  }

  /// Whether the number of quotation marks is odd.
  func hasOddQuotes(from start: Int, to end: Int) -> Bool {
    var quotes: UInt8 = 0
    for place in start..<end { quotes &+= bytes[place] == 0x22 ? 1 : 0 }
    return quotes & 1 == 1
  }
}

extension Piece.Head {
  /// The head of the head.
  func prefix(_ limit: Int) -> Piece.Head {
    Piece.Head(bytes: bytes, start: start, end: min(end, start + limit))
  }

  /// The code whose five characters stand here: digits and capital letters.
  func code(at place: Int) -> SQLState? {
    guard place >= start, place + 5 <= end else { return nil }
    var packed: UInt64 = 0
    for offset in 0..<5 {
      let byte = bytes[place + offset]
      guard ByteKinds(of: byte).contains(.code) else { return nil }
      packed = packed << 8 | UInt64(byte)
    }
    return SQLState(packedBytes: packed)
  }

  func has(_ byte: UInt8, at place: Int) -> Bool {
    place >= start && place < end && bytes[place] == byte
  }

  func has(_ text: StaticString, at place: Int) -> Bool {
    guard place + text.utf8CodeUnitCount <= end else { return false }
    return memcmp(bytes + place, text.utf8Start, text.utf8CodeUnitCount) == 0
  }
}
