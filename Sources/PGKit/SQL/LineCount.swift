/// Counts lines up to places that are asked for in order, so that a text is counted once.
struct LineCount {
  private var place = 0
  private var line = 1

  /// The line of a place, from 1; places never go back.
  mutating func line(at next: Int, in bytes: [UInt8]) -> Int {
    if next > place {
      for byte in bytes[place..<next] where byte == UInt8(ascii: "\n") { line += 1 }
      place = next
    }
    return line
  }
}
