extension SQL {
  /// The highest number of a parameter, as 2 of `$1 + $2`; 0 if there is none.
  ///
  /// The definition of a routine, and PREPARE, have none: what looks so are parameters of their own.
  ///
  /// - Parameters:
  ///   - sql: The text of a statement.
  ///   - standardConformingStrings: The server's setting of that name.
  public static func highestParameter(
    in sql: String, standardConformingStrings: Bool = true
  ) -> Int {
    var scanner = SQLScanner(sql, standardConformingStrings: standardConformingStrings)
    var words = 0
    var highest = 0
    var number: (value: Int, end: Int)?
    while let token = try? scanner.next() {
      switch token {
      case .word:
        words += 1
        if words == 1, scanner.isAt("prepare") { return 0 }
        if words <= 4, scanner.isAt("function") || scanner.isAt("procedure"),
          sql.utf8.count > 6, SQL.begins(sql, with: "create")
        {
          return 0
        }
        number = nil
      case .symbol:
        let byte = scanner.bytes[scanner.range.lowerBound]
        if byte == UInt8(ascii: "$") {
          number = (0, scanner.range.upperBound)
        } else if let begun = number, begun.end == scanner.range.lowerBound, byte &- 0x30 < 10 {
          // Far beyond what the protocol has, the value does not matter.
          let value = min(begun.value, 1 << 20) * 10 + Int(byte &- 0x30)
          number = (value, scanner.range.upperBound)
          highest = max(highest, value)
        } else {
          number = nil
        }
      default: number = nil
      }
    }
    return highest
  }

  private static func begins(_ sql: String, with word: String) -> Bool {
    var scanner = SQLScanner(sql)
    while let token = try? scanner.next() {
      if token == .word { return scanner.isAt(word) }
    }
    return false
  }
}
