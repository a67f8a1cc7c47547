/// Reads a script's statements one after the other, for those who run each before the next is read.
///
/// So a statement may change how strings are read, and data may stand behind a COPY.
public struct ScriptReader {
  /// What is known of a statement while it is read.
  private struct Draft {
    var range: Range<Int>?
    var line = 1
    /// The first word, once it is known whether there is one.
    var firstWord: String?
    var hasTokens = false
    /// Comments in front.
    var comments = ""
    var parentheses = 0
    var body = RoutineBody()
  }

  private var scanner: SQLScanner

  /// Makes a reader that stands at the beginning of a script.
  public init(_ script: String) { scanner = SQLScanner(script) }

  /// Makes a reader of a script in UTF-8, which is shared and not copied.
  public init(utf8 script: [UInt8]) { scanner = SQLScanner(utf8: script) }

  /// Where in the script's UTF-8 the last token begins, in bytes: after an error, the one without an
  /// end.
  public var offset: Int { scanner.range.lowerBound }

  /// The next statement that is not empty; `nil` at the end of the script.
  ///
  /// - Parameter standardConformingStrings: The server's setting of that name as it is now.
  /// - Throws: ``PGError`` with ``SQLState/syntaxError`` if a quote or a comment has no end.
  public mutating func next(
    standardConformingStrings: Bool = true
  ) throws(PGError) -> ScriptSplitter.Piece? {
    scanner.standardConformingStrings = standardConformingStrings
    while let draft = try read() {
      guard draft.hasTokens, let range = draft.range else { continue }
      return ScriptSplitter.Piece(
        text: scanner.text(range), comments: draft.comments, line: draft.line,
        offset: range.lowerBound,
        firstWord: draft.firstWord ?? "")
    }
    return nil
  }

  /// Takes the data that stands in the script behind a COPY … FROM STDIN: from the line after it up to
  /// a line `\.` or the end.
  ///
  /// - Returns: Whole lines, without the one that ends them.
  /// - Throws: ``PGError`` with ``SQLState/syntaxError`` if something stands behind the statement on
  ///   its line: it would run after the data and look as if it ran before.
  public mutating func takeCopyData() throws(PGError) -> ArraySlice<UInt8> {
    try scanner.takeCopyData()
  }

  /// The statement up to the next semicolon that ends one, perhaps empty; `nil` at the end.
  private mutating func read() throws(PGError) -> Draft? {
    var draft = Draft()
    while let token = try nextToken(of: draft) {
      if token == .semicolon, draft.parentheses == 0, !draft.body.isOpen { return draft }
      take(token, into: &draft)
    }
    return draft.hasTokens ? draft : nil
  }

  private mutating func nextToken(of draft: Draft) throws(PGError) -> SQLScanner.Token? {
    if draft.range == nil {
      scanner.skipByteOrderMarks()
      scanner.skipRestrictions()
    }
    return try scanner.next()
  }

  private mutating func take(_ token: SQLScanner.Token, into draft: inout Draft) {
    switch token {
    case .lineComment: break
    // What stands in front of a statement is not part of it, but a hint to the planner is.
    case .blockComment:
      if draft.range != nil || scanner.isAtHint {
        extend(&draft)
      } else {
        draft.comments += scanner.text(scanner.range) + " "
      }
    default:
      extend(&draft)
      draft.hasTokens = true
      follow(token, in: &draft)
    }
  }

  private mutating func extend(_ draft: inout Draft) {
    if let range = draft.range {
      draft.range = range.lowerBound..<scanner.range.upperBound
    } else {
      draft.range = scanner.range
      draft.line = scanner.line
    }
  }

  private func follow(_ token: SQLScanner.Token, in draft: inout Draft) {
    if draft.firstWord == nil, token != .opening {
      draft.firstWord = token == .word ? scanner.capitals : ""
    }
    switch token {
    case .opening: draft.parentheses += 1
    case .closing: draft.parentheses = max(draft.parentheses - 1, 0)
    default: break
    }
    if draft.parentheses == 0 { draft.body.read(token, of: scanner) }
  }
}
