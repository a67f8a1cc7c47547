import PGErrorCodes

/// Cuts SQL into tokens, as many as it takes to know where a statement ends.
///
/// It knows what the server's own lexer knows of strings, quoted identifiers, dollar quotes and
/// comments, for in those a semicolon does not count. Every byte is looked at a fixed number of
/// times, and any bytes at all may come in.
///
/// Source: PostgreSQL manual, "Lexical Structure".
struct SQLScanner {
  /// What a token is.
  enum Token {
    /// A key word or an identifier without quotes.
    case word
    /// A string of any kind, or an identifier in double quotes.
    case quoted
    case semicolon
    case opening
    case closing
    case dot
    case lineComment
    case blockComment
    /// Anything else, one byte of it.
    case symbol
  }

  /// One quote of a token.
  struct Quote {
    /// From its opening on, a prefix not counted, to its end or, without one, to the text's.
    let range: Range<Int>
    let isTerminated: Bool
  }

  let bytes: [UInt8]
  /// The server's setting of that name; off, backslashes escape in strings without a prefix too.
  var standardConformingStrings: Bool
  /// Up to where the text has been read, in bytes.
  var position = 0
  private var start = 0
  private var lines = LineCount()
  /// The quotes that the last token consists of, if it is a quoted one: a string may be continued.
  private(set) var quotes: [Quote] = []

  /// Makes a scanner that stands at the beginning of a text.
  ///
  /// - Parameter standardConformingStrings: the server's setting of that name; off, backslashes
  ///   escape in strings without a prefix too.
  init(_ text: String, standardConformingStrings: Bool = true) {
    self.init(utf8: [UInt8](text.utf8), standardConformingStrings: standardConformingStrings)
  }

  /// Makes a scanner that stands at the beginning of bytes.
  init(utf8 bytes: [UInt8], standardConformingStrings: Bool = true) {
    self.bytes = bytes
    self.standardConformingStrings = standardConformingStrings
  }

  /// Moves to the next token; `nil` at the end of the text.
  ///
  /// - Throws: ``PGError`` with ``SQLState/syntaxError`` if the token has a beginning but no end.
  mutating func next() throws(PGError) -> Token? {
    skipBlanks()
    start = position
    guard let first = byte(at: 0) else { return nil }
    switch first {
    case UInt8(ascii: ";"): return single(.semicolon)
    case UInt8(ascii: "("): return single(.opening)
    case UInt8(ascii: ")"): return single(.closing)
    case UInt8(ascii: "."): return single(.dot)
    case UInt8(ascii: "'"): return try string(escapes: !standardConformingStrings)
    case UInt8(ascii: "\""): return try identifier()
    case UInt8(ascii: "$"): return try dollar()
    case UInt8(ascii: "-") where byte(at: 1) == first: return lineComment()
    case UInt8(ascii: "/") where byte(at: 1) == UInt8(ascii: "*"): return try blockComment()
    default: return Self.beginsWord(first) ? try word(first) : single(.symbol)
    }
  }

  // MARK: The token just read

  /// Where in the text's UTF-8 the last token is.
  var range: Range<Int> { start..<position }

  /// The line on which the last token begins, from 1.
  var line: Int {
    mutating get { lines.line(at: start, in: bytes) }
  }

  /// Whether the last token is a word, in upper, lower or mixed case; `word` is in lower case.
  func isAt(_ word: String) -> Bool {
    // No byte of a word but a capital becomes a small letter by this bit.
    guard position - start == word.utf8.count else { return false }
    var place = start
    for letter in word.utf8 {
      if bytes[place] | 0x20 != letter { return false }
      place += 1
    }
    return true
  }

  /// Whether the last token, a comment, is a hint to the planner as `pg_hint_plan` reads it.
  var isAtHint: Bool { position - start > 4 && bytes[start + 2] == UInt8(ascii: "+") }

  /// The text between two places that are ends of tokens.
  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  /// The last token with its ASCII letters in upper case, as the server folds key words.
  var capitals: String {
    let capitals = bytes[range].map { $0 &- UInt8(ascii: "a") < 26 ? $0 ^ 0x20 : $0 }
    return String(decoding: capitals, as: UTF8.self)
  }

  // MARK: Blanks

  /// Skips blanks and the byte order marks that stand where files were put together.
  mutating func skipByteOrderMarks() {
    skipBlanks()
    while bytes[position...].starts(with: [0xEF, 0xBB, 0xBF]) {
      position += 3
      skipBlanks()
    }
  }

  private mutating func skipBlanks() {
    while position < bytes.count, Self.isBlank(bytes[position]) { position += 1 }
  }

  private mutating func lineComment() -> Token {
    while position < bytes.count, !Self.isNewline(bytes[position]) { position += 1 }
    return .lineComment
  }

  /// A comment and those nested in it.
  private mutating func blockComment() throws(PGError) -> Token {
    var depth = 0
    repeat {
      guard let first = byte(at: 0) else { throw unterminated("comment", end: "*/") }
      switch (first, byte(at: 1)) {
      case (UInt8(ascii: "/"), UInt8(ascii: "*")): depth += 1
      case (UInt8(ascii: "*"), UInt8(ascii: "/")): depth -= 1
      default:
        position += 1
        continue
      }
      position += 2
    } while depth > 0
    return .blockComment
  }

  // MARK: Words and quotes

  private mutating func single(_ token: Token) -> Token {
    position += 1
    return token
  }

  /// A word, or a quote whose prefix looks like one: `E''`, `B''`, `X''`, `N''`, `U&''`, `U&""`.
  private mutating func word(_ first: UInt8) throws(PGError) -> Token {
    switch (first | 0x20, byte(at: 1)) {
    case (UInt8(ascii: "e"), UInt8(ascii: "'")): return try string(prefix: 1, escapes: true)
    case (UInt8(ascii: "b"), UInt8(ascii: "'")), (UInt8(ascii: "x"), UInt8(ascii: "'")):
      return try string(prefix: 1, escapes: false)
    case (UInt8(ascii: "n"), UInt8(ascii: "'")):
      return try string(prefix: 1, escapes: !standardConformingStrings)
    case (UInt8(ascii: "u"), UInt8(ascii: "&")):
      if byte(at: 2) == UInt8(ascii: "'") { return try string(prefix: 2, escapes: false) }
      if byte(at: 2) == UInt8(ascii: "\"") { return try identifier(prefix: 2) }
    default: break
    }
    while position < bytes.count, Self.continuesWord(bytes[position]) { position += 1 }
    return .word
  }

  private mutating func identifier(prefix: Int = 0) throws(PGError) -> Token {
    quotes.removeAll(keepingCapacity: true)
    position += prefix
    guard skipQuote(UInt8(ascii: "\""), escapes: false) else {
      throw unterminated("quoted identifier", end: "\"")
    }
    return .quoted
  }

  /// A string with its continuations: after a line break it goes on under the same rules.
  private mutating func string(prefix: Int = 0, escapes: Bool) throws(PGError) -> Token {
    quotes.removeAll(keepingCapacity: true)
    position += prefix
    repeat {
      guard skipQuote(UInt8(ascii: "'"), escapes: escapes) else {
        throw unterminated("quoted string", end: "'")
      }
    } while moveToContinuation()
    return .quoted
  }

  /// Skips from a quote past the one that ends it; `false` if there is none.
  private mutating func skipQuote(_ quote: UInt8, escapes: Bool) -> Bool {
    let opening = position
    position += 1
    while let next = byte(at: 0) {
      if next == quote {
        position += 1
        guard byte(at: 0) == quote else {
          quotes.append(Quote(range: opening..<position, isTerminated: true))
          return true
        }
      } else if escapes, next == UInt8(ascii: "\\") {
        position = min(position + 1, bytes.count - 1)
      }
      position += 1
    }
    quotes.append(Quote(range: opening..<position, isTerminated: false))
    return false
  }

  /// Moves over blanks and line comments to another quote, if a line break is among them.
  private mutating func moveToContinuation() -> Bool {
    let end = position
    skipBlanks()
    while byte(at: 0) == UInt8(ascii: "-"), byte(at: 1) == UInt8(ascii: "-") {
      _ = lineComment()
      skipBlanks()
    }
    if byte(at: 0) == UInt8(ascii: "'"), bytes[end..<position].contains(where: Self.isNewline) {
      return true
    }
    position = end
    return false
  }

  // MARK: Dollar quotes

  /// A dollar quote, or the dollar of a parameter.
  private mutating func dollar() throws(PGError) -> Token {
    guard let length = delimiterLength() else { return single(.symbol) }
    let delimiter = bytes[position..<position + length]
    quotes.removeAll(keepingCapacity: true)
    position += length
    while position <= bytes.count - length {
      if bytes[position] == UInt8(ascii: "$"),
        bytes[position..<position + length].elementsEqual(delimiter)
      {
        position += length
        quotes.append(Quote(range: start..<position, isTerminated: true))
        return .quoted
      }
      position += 1
    }
    position = bytes.count
    quotes.append(Quote(range: start..<position, isTerminated: false))
    throw unterminated("dollar-quoted string", end: "the same tag")
  }

  /// The length of the `$tag$` that begins here; a tag is a word without dollars.
  private func delimiterLength() -> Int? {
    var end = position + 1
    guard end < bytes.count, !Self.isDigit(bytes[end]) else { return nil }
    while end < bytes.count, bytes[end] != UInt8(ascii: "$"), Self.continuesWord(bytes[end]) {
      end += 1
    }
    return end < bytes.count && bytes[end] == UInt8(ascii: "$") ? end + 1 - position : nil
  }

  // MARK: Bytes

  private func byte(at offset: Int) -> UInt8? {
    position + offset < bytes.count ? bytes[position + offset] : nil
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte &- UInt8(ascii: "\t") < 5
  }

  private static func isNewline(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  private static func beginsWord(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") || byte >= 0x80
  }

  private static func continuesWord(_ byte: UInt8) -> Bool {
    beginsWord(byte) || isDigit(byte) || byte == UInt8(ascii: "$")
  }

  @inline(never)
  private mutating func unterminated(_ what: String, end: String) -> PGError {
    PGError(
      code: .syntaxError, message: "the \(what) that begins on line \(line) has no end",
      fault: .caller, hint: "End it with \(end).", isSafeToRetry: true)
  }
}
