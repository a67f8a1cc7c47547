import PGErrorCodes

/// Reads the text of a library, line by line.
struct LibraryReader {
  private(set) var preface = ""
  private(set) var symbols: [QuerySymbol] = []
  private let library: String
  private var head: Head?
  private var body = ""
  /// The texts of the sections so far, for those that refer to them.
  private var bodies: [String: String] = [:]
  /// The most that a section's text may take with all that it includes, in bytes.
  ///
  /// Sections that include sections double with each line.
  private static let sectionLimit = 1 << 20

  private struct Head {
    var name: Substring
    var kind = QuerySymbol.Kind.static
    var method = QuerySymbol.Method.all
    var isReference = false
    let line: Int
  }

  init(_ library: String) { self.library = library }

  mutating func read(_ text: String) throws(PGError) {
    var number = 0
    for line in Self.lines(text) {
      number += 1
      if let words = Self.headWords(line) {
        finishSection()
        head = try readHead(words, number)
      } else {
        try append(line, number)
      }
    }
    finishSection()
  }

  /// The lines, each with its end.
  private static func lines(_ text: String) -> [Substring] {
    var lines: [Substring] = []
    var rest = Substring(text)
    while !rest.isEmpty {
      let end = rest.firstIndex { $0 == "\n" || $0 == "\r\n" }
      let next = end.map { rest.index(after: $0) } ?? rest.endIndex
      lines.append(rest[..<next])
      rest = rest[next...]
    }
    return lines
  }

  /// What stands in the brackets of a section's head; `nil` for any other line.
  ///
  /// A line of an array's subscripts, `[1]`, is none: a name does not begin with a digit.
  private static func headWords(_ line: Substring) -> [Substring]? {
    guard line.first == "[" else { return nil }
    let line = line.trimmed
    guard line.last == "]", line.utf8.count > 2 else { return nil }
    let inside = line.dropFirst().dropLast().trimmed
    guard let first = inside.drop(while: { $0 == "&" }).first, first.isLetter || first == "_",
      !inside.contains("]")
    else { return nil }
    return inside.split(separator: ":", omittingEmptySubsequences: false).map(\.trimmed)
  }

  private func readHead(_ words: [Substring], _ line: Int) throws(PGError) -> Head {
    var head = Head(name: words[0], line: line)
    if head.name.first == "&" {
      head.isReference = true
      head.name = head.name.dropFirst()
    }
    if words.count > 1, !words[1].isEmpty {
      guard let kind = QuerySymbol.Kind(rawValue: String(words[1])) else {
        throw unknown("kind", words[1], QuerySymbol.Kind.allCases.map(\.rawValue), line)
      }
      head.kind = kind
    }
    if words.count > 2, !words[2].isEmpty {
      guard let method = QuerySymbol.Method(rawValue: String(words[2])) else {
        throw unknown("method", words[2], QuerySymbol.Method.allCases.map(\.rawValue), line)
      }
      head.method = method
    }
    return head
  }

  private mutating func append(_ line: Substring, _ number: Int) throws(PGError) {
    guard line.hasPrefix("*["), let end = line.firstIndex(of: "]") else {
      body += line
      return
    }
    let name = String(line[..<end].dropFirst(2).trimmed)
    guard let text = bodies[name] else {
      throw mistake(
        "there is no section [\(name)] above that line", number,
        hint: "only what stands further up can be included")
    }
    guard body.utf8.count + text.utf8.count <= Self.sectionLimit else {
      throw mistake(
        "what is included there makes the section longer than \(Self.sectionLimit) bytes", number,
        hint: "a section that includes others should not be included many times")
    }
    body += text + line[line.index(after: end)...]
  }

  private mutating func finishSection() {
    defer { body = "" }
    guard let head else {
      preface = body
      return
    }
    let name = String(head.name)
    bodies[name] = body
    symbols.append(
      QuerySymbol(
        name: name, kind: head.kind, method: head.method,
        sql: head.kind == .proc ? String(Substring(body).trimmed) : body,
        documentation: Self.documentation(of: body), isReference: head.isReference,
        line: head.line))
  }

  /// The comment at the beginning, line by line.
  static func documentation(of body: String) -> String {
    lines(body).prefix { $0.hasPrefix("--") }
      .map { String($0.dropFirst(2).trimmed) }.joined(separator: "\n")
  }

  private func unknown(
    _ what: String, _ word: Substring, _ known: [String], _ line: Int
  ) -> PGError {
    mistake(
      "\"\(word)\" is no \(what) of a query", line,
      hint: "It is one of \(known.joined(separator: ", ")), or nothing.")
  }

  private func mistake(_ message: String, _ line: Int, hint: String) -> PGError {
    let place = library.isEmpty ? "a library, line \(line)" : "library \(library), line \(line)"
    return .library("\(place): \(message)", hint: hint)
  }
}

extension Substring {
  /// Without the blanks around it.
  fileprivate var trimmed: Substring {
    let start = drop { $0.isWhitespace }
    guard let end = start.lastIndex(where: { !$0.isWhitespace }) else { return start }
    return start[...end]
  }
}

extension PGError {
  /// A library of queries could not be loaded, or does not hold what is asked of it.
  @inline(never)
  static func library(_ message: String, hint: String? = nil) -> PGError {
    PGError(code: .loadError, message: message, fault: .caller, hint: hint)
  }
}
