/// A project's own error codes, read from the text of a file.
///
/// The form is that of PostgreSQL's `errcodes.txt`, so that such a file of a fork or of a later
/// release can be given as it is, with fields below a code for what that file cannot say:
///
/// ```
/// # what our functions raise
/// Section: Class PT - Page Turner
/// PT404  E  page_not_found
///     cause: The page was deleted while somebody read it.
///     action: Show the list again.
///     retry: no
/// ```
///
/// A line has the code, a letter for the severity (`E`, `W`, `S`), and a macro (`ERRCODE_…`), a
/// condition, or both. Fields: `name`, `cause`, `action`, `actor`, `query`, `retry` (`now`, `later`,
/// `ambiguous`, `no`), `reason`, `sets`, and `override: true`, without which a code may not
/// contradict the built-in table.
package struct CodeFile: Sendable {
  /// A line that is not as it must be.
  package struct Fault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line's number, from 1.
    package let line: Int
    /// What is wrong with it, and what would be right.
    package let message: String
    /// Line and message.
    package var description: String { "line \(line): \(message)" }
  }

  /// More entries than any project has: a wrong file is told apart early.
  static let maximumEntries = 10_000

  /// One code of the file.
  struct Entry: Sendable {
    let line: Int
    let code: SQLState
    let severity: SQLStateDefinition.Severity
    var macros: [String]
    var condition: String?
    var fields: [String: String] = [:]
    var isOverride: Bool { fields["override"] == "true" }
  }

  /// One class of the file.
  struct Section: Sendable {
    let line: Int
    let characters: String
    let title: String

    /// The title without the remark in brackets that PostgreSQL's file has behind some.
    var bareTitle: String {
      guard title.hasSuffix(")"), let bracket = title.lastIndex(of: "(") else { return title }
      return CodeFile.trimmed(title[..<bracket])
    }
  }

  private(set) var entries: [Entry] = []
  private(set) var sections: [Section] = []

  private static let fieldNames = [
    "name", "cause", "action", "actor", "query", "retry", "reason", "sets", "override",
  ]

  /// Reads the text of a file.
  ///
  /// - Throws: ``Fault`` for the first line that is not as it must be.
  package init(_ text: String) throws(Fault) {
    var number = 0
    // What some editors put before the text to say that it is UTF-8.
    let text =
      text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      number += 1
      let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      if first == "Section:" {
        try addSection(words, number)
      } else if line.first?.isWhitespace == true {
        try addField(String(line), number)
      } else {
        try addEntry(words, number)
      }
    }
  }

  private mutating func addSection(_ words: [String], _ line: Int) throws(Fault) {
    guard words.count > 4, words[1] == "Class", words[3] == "-", words[2].utf8.count == 2 else {
      throw Fault(line: line, message: "a section is: Section: Class XX - Title")
    }
    sections.append(
      Section(line: line, characters: words[2], title: words[4...].joined(separator: " ")))
  }

  private mutating func addEntry(_ words: [String], _ line: Int) throws(Fault) {
    guard entries.count < CodeFile.maximumEntries else {
      throw Fault(line: line, message: "more than \(CodeFile.maximumEntries) codes")
    }
    guard let code = SQLState(words[0]), words[0].utf8.allSatisfy(ASCIIText.isCode) else {
      throw Fault(
        line: line, message: "\(words[0]) is no code: five digits and capital letters")
    }
    guard words.count > 2, words.count < 5, let severity = CodeFile.severity(words[1]) else {
      throw Fault(
        line: line,
        message: "a code is: \(words[0]) E condition_name (E error, W warning, S success)")
    }
    let macros = words[2...].filter { $0.hasPrefix("ERRCODE_") }
    let conditions = words[2...].filter { !$0.hasPrefix("ERRCODE_") }
    guard macros.count < 2, conditions.count < 2, conditions.allSatisfy(CodeFile.isCondition),
      macros.allSatisfy(CodeFile.isMacro)
    else {
      throw Fault(
        line: line,
        message: "behind the severity stand ERRCODE_MACRO, condition_in_small_letters, or both")
    }
    entries.append(
      Entry(
        line: line, code: code, severity: severity, macros: Array(macros),
        condition: conditions.first))
  }

  private mutating func addField(_ line: String, _ number: Int) throws(Fault) {
    guard let colon = line.firstIndex(of: ":"), !entries.isEmpty else {
      throw Fault(line: number, message: "a line set in is a field of the code above: field: text")
    }
    let name = CodeFile.trimmed(line[..<colon])
    let value = CodeFile.trimmed(line[line.index(after: colon)...])
    guard CodeFile.fieldNames.contains(name) else {
      let known = CodeFile.fieldNames.joined(separator: ", ")
      throw Fault(line: number, message: "\(name) is no field; there are \(known)")
    }
    guard !value.isEmpty, CodeFile.isValid(value, for: name) else {
      throw Fault(line: number, message: "\(name) cannot be \"\(value)\"; \(CodeFile.rule(name))")
    }
    entries[entries.count - 1].fields[name] = value
  }

  private static func isValid(_ value: String, for field: String) -> Bool {
    switch field {
    case "retry": RetryRule.Answer(word: value) != nil
    case "actor": SQLStateAdvice.Actor(rawValue: value) != nil
    case "override": value == "true" || value == "false"
    case "name": value.utf8.allSatisfy { isNameCharacter($0) }
    default: true
    }
  }

  private static func rule(_ field: String) -> String {
    switch field {
    case "retry": "it is now, later, ambiguous or no"
    case "actor": "it is application, operator or PostgreSQL developers"
    case "override": "it is true or false"
    case "name": "it has letters, digits and underscores"
    default: "it must say something"
    }
  }

  private static func severity(_ letter: String) -> SQLStateDefinition.Severity? {
    switch letter {
    case "E": .error
    case "W": .warning
    case "S": .success
    default: nil
    }
  }

  private static func isCondition(_ word: String) -> Bool {
    guard let first = word.utf8.first, ASCIIText.isLetter(first) else { return false }
    return word.utf8.allSatisfy { isNameCharacter($0) && !ASCIIText.isCapital($0) }
  }

  private static func isMacro(_ word: String) -> Bool {
    let name = word.utf8.dropFirst("ERRCODE_".utf8.count)
    guard let first = name.first, ASCIIText.isCapital(first) else { return false }
    return name.allSatisfy { $0 == UInt8(ascii: "_") || ASCIIText.isCode($0) }
  }

  private static func isNameCharacter(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || ASCIIText.isLetterOrDigit(byte)
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
