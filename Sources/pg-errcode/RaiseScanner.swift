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
      if token.token == .symbol(UInt8(ascii: ";")) { endStatement() }
      // Statements have no such length; what is none is not kept for ever.
      if tokens.count > 20_000 { endStatement() }
    }
    endStatement()
  }

  // MARK: Statements

  private mutating func endStatement() {
    for index in tokens.indices where isWord(index, "raise") { readRaise(from: index + 1) }
    tokens.removeAll(keepingCapacity: true)
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
        if let end = endOfDollarQuote() { place = end } else { place += 1 }
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

  private func endsWithE(_ start: Int) -> Bool { start > 0 && bytes[start - 1] | 0x20 == 0x65 }

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
    while let byte = peek(0), ASCIIText.isWord(byte) { place += 1 }
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

  /// Behind `$tag$`, which is passed over, so that what it encloses is read.
  private func endOfDollarQuote() -> Int? {
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
        value.append(peek(1) ?? byte)
        place += 2
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
    var inner = RaiseScanner(body, depth: depth + 1)
    inner.scan()
    found += inner.found.map { ($0.subject, $0.place + start) }
  }
}
