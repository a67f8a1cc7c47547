internal import PGErrorCodes

/// Finds the RAISE statements of a script, and what they raise.
///
/// Bodies of functions count as part of the script, in dollar quotes as well as in single ones.
struct RaiseScanner {
  /// What a statement raises.
  enum Subject: Equatable {
    /// `RAISE unique_violation`.
    case condition(String)
    /// `RAISE SQLSTATE '23505'`.
    case code(String)
    /// `USING ERRCODE = '…'`: a code or a condition.
    case literal(String)

    var text: String {
      switch self {
      case .condition(let text), .code(let text), .literal(let text): text
      }
    }
  }

  /// One statement that raises something with a name.
  struct Raise: Equatable {
    let subject: Subject
    let line: Int
    let column: Int
  }

  private enum Token: Equatable {
    case word(String)
    case string(String)
    case symbol(UInt8)
  }

  /// Deeper than bodies in bodies ever go.
  private static let maximumDepth = 4

  private let bytes: [UInt8]
  private let depth: Int
  private var place = 0
  private var tokens: [(token: Token, start: Int)] = []
  private var found: [(subject: Subject, place: Int)] = []
  /// Whether the first of the tokens begins a statement.
  private var isWhole = true
  /// Whether the tokens have a RAISE: its strings are messages and codes, and not bodies.
  private var isRaising = false

  static func raises(in bytes: [UInt8]) -> [Raise] {
    var scanner = RaiseScanner(bytes, depth: 0)
    scanner.scan()
    var line = 1
    var lineStart = 0
    var place = 0
    return scanner.found.sorted { $0.place < $1.place }.map { subject, target in
      while place < target {
        if bytes[place] == 0x0A {
          line += 1
          lineStart = place + 1
        }
        place += 1
      }
      let before = bytes[lineStart..<target].count { $0 & 0xC0 != 0x80 }
      return Raise(subject: subject, line: line, column: before + 1)
    }
  }

  private init(_ bytes: [UInt8], depth: Int) {
    self.bytes = bytes
    self.depth = depth
  }

  private mutating func scan() {
    while let token = next() {
      tokens.append(token)
      if token.token == .word("raise"), isStart(tokens.count - 1) { isRaising = true }
      if token.token == .symbol(UInt8(ascii: ";")) { endStatement() }
      // Statements have no such length; what is none is not kept for ever.
      if tokens.count > 20_000 {
        endStatement()
        isWhole = false
      }
    }
    endStatement()
  }

  // MARK: Statements

  /// Elsewhere, `raise` is a name.
  private static let wordsBeforeStatements = ["begin", "then", "else", "loop"]

  private mutating func endStatement() {
    let raise = tokens.indices.first { isWord($0, "raise") && isStart($0) }
    if let raise { readRaise(from: raise + 1) }
    tokens.removeAll(keepingCapacity: true)
    isWhole = true
    isRaising = false
  }

  /// Whether a statement begins here: the first token does, and one behind `BEGIN` and its like.
  private func isStart(_ index: Int) -> Bool {
    guard index > 0 else { return isWhole }
    return Self.wordsBeforeStatements.contains { isWord(index - 1, $0) }
  }

  private mutating func readRaise(from start: Int) {
    let levels = ["debug", "log", "info", "notice", "warning", "exception"]
    var index = start
    if levels.contains(where: { isWord(index, $0) }) { index += 1 }
    if isWord(index, "sqlstate"), case .string(let text) = token(index + 1) {
      found.append((.code(text), tokens[index + 1].start))
    } else if case .word(let name) = token(index), name != "using",
      token(index + 1) == .symbol(UInt8(ascii: ";")) || isWord(index + 1, "using")
        || token(index + 1) == nil
    {
      found.append((.condition(name), tokens[index].start))
    }
    while index < tokens.count, !isWord(index, "using") { index += 1 }
    while index < tokens.count {
      if isWord(index, "errcode"), let value = valueOfOption(index + 1) { found.append(value) }
      index += 1
    }
  }

  /// `= '…'` or `:= '…'`, with nothing behind it that would make it an expression.
  private func valueOfOption(_ index: Int) -> (subject: Subject, place: Int)? {
    var index = index
    if token(index) == .symbol(UInt8(ascii: ":")) { index += 1 }
    guard token(index) == .symbol(UInt8(ascii: "=")), case .string(let text) = token(index + 1)
    else { return nil }
    let after = token(index + 2)
    guard after == nil || after == .symbol(UInt8(ascii: ";")) || after == .symbol(UInt8(ascii: ","))
    else { return nil }
    return (.literal(text), tokens[index + 1].start)
  }

  private func token(_ index: Int) -> Token? { index < tokens.count ? tokens[index].token : nil }

  private func isWord(_ index: Int, _ word: String) -> Bool { token(index) == .word(word) }

  // MARK: Tokens

  private mutating func next() -> (token: Token, start: Int)? {
    while place < bytes.count {
      let start = place
      switch bytes[place] {
      case UInt8(ascii: "-") where peek(1) == UInt8(ascii: "-"): skipLine()
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): skipComment()
      case UInt8(ascii: "'"): return (string(isEscaped: endsWithE(start)), start)
      case UInt8(ascii: "\""): return (quotedName(), start)
      case UInt8(ascii: "$"):
        if let end = endOfDollarTag() { return (dollarQuoted(from: end), start) }
        place += 1
      case let byte where ASCIIText.isWord(byte):
        let word = word()
        // `E'…'`: the string says so itself.
        if word == "e", peek(0) == UInt8(ascii: "'") { continue }
        return (.word(word), start)
      case let byte:
        place += 1
        if byte > 0x20 { return (.symbol(byte), start) }
      }
    }
    return nil
  }

  private func peek(_ offset: Int) -> UInt8? {
    place + offset < bytes.count ? bytes[place + offset] : nil
  }

  /// Whether an `E` stands alone before the string.
  private func endsWithE(_ start: Int) -> Bool {
    guard start > 0, bytes[start - 1] | 0x20 == 0x65 else { return false }
    return start == 1 || !Self.isNamePart(bytes[start - 2])
  }

  private static func isNamePart(_ byte: UInt8) -> Bool {
    ASCIIText.isWord(byte) || byte == UInt8(ascii: "$")
  }

  private mutating func skipLine() {
    while let byte = peek(0), byte != 0x0A { place += 1 }
  }

  private mutating func skipComment() {
    var level = 0
    while let byte = peek(0) {
      if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
        level += 1
        place += 2
      } else if byte == UInt8(ascii: "*"), peek(1) == UInt8(ascii: "/") {
        level -= 1
        place += 2
        if level == 0 { return }
      } else {
        place += 1
      }
    }
  }

  private mutating func word() -> String {
    let start = place
    while let byte = peek(0), Self.isNamePart(byte) { place += 1 }
    return String(decoding: bytes[start..<place], as: UTF8.self).lowercased()
  }

  private mutating func quotedName() -> Token {
    place += 1
    let start = place
    while let byte = peek(0), byte != UInt8(ascii: "\"") { place += 1 }
    let name = String(decoding: bytes[start..<place], as: UTF8.self)
    place += 1
    // Quoted, it is no keyword.
    return name == name.lowercased() && name != "raise" ? .word(name) : .symbol(0)
  }

  /// What stands between `$tag$` and the next `$tag$`, or the end: a body like that of a function, or
  /// a string.
  private mutating func dollarQuoted(from start: Int) -> Token {
    let tag = bytes[place..<start]
    var end = start
    while end < bytes.count, !bytes[end...].starts(with: tag) { end += 1 }
    place = min(end + tag.count, bytes.count)
    if depth < Self.maximumDepth, start < end, !isRaising {
      scan(Array(bytes[start..<end]), at: start)
    }
    let isShort = end - start <= Self.maximumName
    return .string(isShort ? String(decoding: bytes[start..<end], as: UTF8.self) : "")
  }

  /// Longer than codes and conditions are.
  private static let maximumName = 128

  /// Behind the `$tag$` that begins here; `nil` if none does.
  private func endOfDollarTag() -> Int? {
    var end = place + 1
    while end < bytes.count, ASCIIText.isWord(bytes[end]), !ASCIIText.isDigit(bytes[place + 1]) {
      end += 1
    }
    return end < bytes.count && bytes[end] == UInt8(ascii: "$") ? end + 1 : nil
  }

  private mutating func string(isEscaped: Bool) -> Token {
    place += 1
    let start = place
    var value: [UInt8] = []
    while let byte = peek(0) {
      if byte == UInt8(ascii: "\\"), isEscaped {
        let escape = StringEscape(bytes, at: place)
        value += escape.value
        place += escape.length
      } else if byte == UInt8(ascii: "'") {
        guard peek(1) == byte else { break }
        value.append(byte)
        place += 2
      } else {
        value.append(byte)
        place += 1
      }
    }
    let end = min(place, bytes.count)
    place = min(place + 1, bytes.count)
    if isBody { scanBody(from: start, to: end) }
    return .string(String(decoding: value, as: UTF8.self))
  }

  /// Whether the string that was read is a function's body: `AS '…'` or `DO '…'`.
  private var isBody: Bool {
    guard depth < Self.maximumDepth, let last = tokens.last?.token else { return false }
    return last == .word("as") || last == .word("do")
  }

  /// Reads a body in single quotes, where each mark is doubled: one of the two becomes a blank, so
  /// that every place stays what it was.
  private mutating func scanBody(from start: Int, to end: Int) {
    guard start < end else { return }
    var body = Array(bytes[start..<end])
    var isOpen = false
    var index = 0
    while index + 1 < body.count {
      if body[index] == UInt8(ascii: "'"), body[index + 1] == UInt8(ascii: "'") {
        body[isOpen ? index + 1 : index] = 0x20
        isOpen.toggle()
        index += 1
      }
      index += 1
    }
    scan(body, at: start)
  }

  private mutating func scan(_ body: [UInt8], at start: Int) {
    var inner = RaiseScanner(body, depth: depth + 1)
    inner.scan()
    found += inner.found.map { ($0.subject, $0.place + start) }
  }
}
