extension SQL {
  /// Whether a text is a COPY of STDIN or STDOUT, rather than of a file or program of the server.
  static func copiesStandardStream(_ sql: String) -> Bool {
    var scanner = SQLScanner(sql)
    var isCopy = false
    var depth = 0
    var followsDirection = false
    while let token = try? scanner.next() {
      switch token {
      case .lineComment, .blockComment: continue
      case .opening: depth += 1
      case .closing: depth -= 1
      case .word where !isCopy:
        guard scanner.isAt("copy") else { return false }
        isCopy = true
      case .word where depth == 0:
        // The server takes either word in either direction; a table may be called by one, too.
        let isStream = scanner.isAt("stdin") || scanner.isAt("stdout")
        if followsDirection { return isStream }
        followsDirection = scanner.isAt("from") || scanner.isAt("to")
        continue
      default: if !isCopy { return false }
      }
      followsDirection = false
    }
    return false
  }
}
