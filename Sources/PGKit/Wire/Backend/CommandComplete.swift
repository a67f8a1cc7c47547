/// What a completed statement says of itself: `SELECT 3`, `INSERT 0 1`, `CREATE TABLE`.
///
/// Source: PostgreSQL manual, "Message Formats", CommandComplete.
public struct CommandTag: Hashable, Sendable, CustomStringConvertible {
  /// The whole tag as the server wrote it.
  public let description: String

  /// Makes a tag of its text.
  public init(_ text: String) { description = text }

  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    description = try reader.readTerminatedString()
  }

  /// The command without its numbers: `SELECT`, `CREATE TABLE`.
  public var name: String {
    var words = description.split(separator: " ")[...]
    while let last = words.last, last.utf8.allSatisfy(ASCII.isDigit) { words.removeLast() }
    return words.joined(separator: " ")
  }

  /// Whether the statement may have changed what types are made of: it altered or dropped something, took
  /// that back, or ran code of which nothing is known.
  var mayAlterTypes: Bool {
    Self.alteringCommands.contains { description.hasPrefix($0) }
  }

  private static let alteringCommands = ["ALTER", "DROP", "ROLLBACK", "DO", "CALL"]

  /// The number of rows selected, inserted, changed or copied; `nil` for a command that counts none
  /// or a number that no server can mean.
  public var rowCount: Int? {
    // From the end, byte by byte: this is asked of every execution.
    var (rows, place, digits) = (0, 1, 0)
    for byte in description.utf8.reversed() {
      if byte == UInt8(ascii: " ") {
        if digits > 0 { return rows }
        continue
      }
      guard ASCII.isDigit(byte), digits < Self.countedDigits else { return nil }
      rows += place * Int(byte - UInt8(ascii: "0"))
      place *= 10
      digits += 1
    }
    return digits > 0 ? rows : nil
  }

  /// What fits an Int whatever the digits are.
  private static let countedDigits = 18
}

extension Int {
  /// The sum of two numbers of rows, or the most there is: a server may say anything of each.
  package func addingRows(_ other: Int) -> Int {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? .max : sum
  }
}
