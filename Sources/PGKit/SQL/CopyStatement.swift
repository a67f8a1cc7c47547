/// Which way a COPY moves data between the server and the program that runs it.
public enum StreamCopy: Sendable, Hashable {
  /// `COPY … FROM STDIN`: the program sends data.
  case fromProgram
  /// `COPY … TO STDOUT`: the program receives data.
  case toProgram
}

extension SQL {
  /// The direction of a COPY of STDIN or STDOUT; `nil` for every other statement, a COPY of a file or
  /// program of the server among them.
  public static func streamCopy(_ sql: String) -> StreamCopy? {
    var scanner = SQLScanner(sql)
    var isCopy = false
    var depth = 0
    var direction: StreamCopy?
    while let token = try? scanner.next() {
      switch token {
      case .lineComment, .blockComment: continue
      case .opening: depth += 1
      case .closing: depth -= 1
      case .word where !isCopy:
        guard scanner.isAt("copy") else { return nil }
        isCopy = true
      case .word where depth == 0:
        // The server takes either word in either direction; a table may be called by one, too.
        let isStream = scanner.isAt("stdin") || scanner.isAt("stdout")
        if let direction { return isStream ? direction : nil }
        if scanner.isAt("from") { direction = .fromProgram }
        if scanner.isAt("to") { direction = .toProgram }
        continue
      default: if !isCopy { return nil }
      }
      direction = nil
    }
    return nil
  }

  /// Whether a text is a COPY of STDIN or STDOUT, rather than of a file or program of the server.
  static func copiesStandardStream(_ sql: String) -> Bool { streamCopy(sql) != nil }
}
