extension SQL {
  /// The first words of a statement that are key words or names without quotes, in capitals; comments,
  /// strings and marks between them are left out.
  ///
  /// So `ROLLBACK /* to the start */ WORK` is `["ROLLBACK", "WORK"]`.
  ///
  /// - Parameters:
  ///   - sql: The text of the statement.
  ///   - count: How many words to read at most.
  ///   - standardConformingStrings: The server's setting of that name.
  public static func firstWords(
    of sql: String, atMost count: Int, standardConformingStrings: Bool = true
  ) -> [String] {
    var scanner = SQLScanner(sql, standardConformingStrings: standardConformingStrings)
    var words: [String] = []
    while words.count < count, let token = try? scanner.next() {
      if token == .word { words.append(scanner.capitals) }
    }
    return words
  }

  /// Whether a statement says of itself, with its first word, that it only reads.
  ///
  /// WITH does not: what follows may be anything. A function that it calls may still change something.
  static func onlyReads(_ sql: String) -> Bool {
    let verb = firstWords(of: sql, atMost: 1).first
    return verb.map { ["SELECT", "VALUES", "TABLE", "SHOW"].contains($0) } ?? false
  }

  /// Whether a word, or a text in quotes, of a statement is this name; comments do not count.
  ///
  /// - Parameters:
  ///   - name: In small letters, all ASCII.
  ///   - sql: The text of the statement.
  ///   - standardConformingStrings: The server's setting of that name.
  public static func mentions(
    _ name: String, in sql: String, standardConformingStrings: Bool = true
  ) -> Bool {
    var scanner = SQLScanner(sql, standardConformingStrings: standardConformingStrings)
    while let token = try? scanner.next() {
      switch token {
      case .word: if scanner.capitals == name.uppercased() { return true }
      case .quoted: if scanner.text(scanner.range).lowercased().contains(name) { return true }
      default: continue
      }
    }
    return false
  }
}
