internal import PGCommandLine
internal import PGErrorCodes

/// An operand whose form is that of a code, a class, a name, or a pattern of them.
struct Question {
  /// Longer than any name, so that a file given by mistake is not taken for one.
  static let maximumLength = 128

  /// The operand without the white space around it.
  let text: String

  /// The code that the text may be: as it is written, in large letters, or, since some of the driver's
  /// own codes (`--cIO`, `-Cdwn`) have small ones, in any.
  let code: SQLState?

  /// The two characters of a class, written as `23` or `23***`.
  let classCharacters: String?

  /// The pattern, if the text has wildcards and is not one of the driver's codes with a star.
  let wildcard: Wildcard?

  /// Reads an operand; `nil` if it cannot be a code, a class, a name or a pattern.
  init?(_ operand: String) {
    text = Question.trimmed(operand)
    guard text.utf8.count <= Question.maximumLength else { return nil }
    code = Question.code(text)
    classCharacters = Question.classCharacters(text)
    wildcard = code?.isDefined == true ? nil : Question.wildcard(text)
    guard code != nil || classCharacters != nil || isName || wildcard != nil else { return nil }
  }

  private static func code(_ text: String) -> SQLState? {
    guard isCode(text) else { return nil }
    let written = SQLState(text)
    if written?.isDefined == true { return written }
    let large = SQLState(text.uppercased())
    guard text.hasPrefix("-") || text.hasPrefix("01-"), large?.isDefined != true else {
      return large
    }
    let small = text.lowercased()
    return SQLState.definitions.first { $0.code.description.lowercased() == small }?.code ?? large
  }

  private static func classCharacters(_ text: String) -> String? {
    let characters = text.count == 5 && text.hasSuffix("***") ? text.dropLast(3) : text[...]
    guard characters.utf8.count == 2 else { return nil }
    let large = characters.uppercased()
    return SQLStateClass(large) != nil || large.utf8.allSatisfy(ASCIIText.isLetterOrDigit)
      ? large : nil
  }

  private static func wildcard(_ text: String) -> Wildcard? {
    let isPattern = text.utf8.allSatisfy {
      ASCIIText.isLetterOrDigit($0) || Question.punctuation.contains($0)
    }
    return isPattern ? Wildcard(text) : nil
  }

  /// An operand for a message: shortened, and without what could command a terminal.
  static func quoted(_ operand: String) -> String {
    let shown = operand.unicodeScalars.count > 40
    let start = String(String.UnicodeScalarView(operand.unicodeScalars.prefix(40)))
    return "\"\(escapingLines(start))\(shown ? "…" : "")\""
  }

  /// A text without what could command a terminal, or break the line that it stands in.
  static func escapingLines(_ text: String) -> String {
    Diagnostic.escapingControls(text).split(separator: "\n", omittingEmptySubsequences: false)
      .joined(separator: "\\x0a").split(separator: "\t", omittingEmptySubsequences: false)
      .joined(separator: "\\x09")
  }

  /// The text without the blanks, tabs and line ends around it.
  static func trimmed(_ text: String) -> String {
    let isBlank: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
    let bytes = text.utf8.drop(while: isBlank)
    let end = bytes.lastIndex { !isBlank($0) }.map { bytes.index(after: $0) }
    return String(Substring(bytes[..<(end ?? bytes.startIndex)]))
  }

  /// Five letters and digits; the driver's codes have a dash or a star among the first three.
  private static func isCode(_ text: String) -> Bool {
    guard text.utf8.count == 5, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      return false
    }
    if text.hasPrefix("-") || text.hasPrefix("01-") { return true }
    return text.utf8.allSatisfy(ASCIIText.isLetterOrDigit)
  }

  private var isName: Bool {
    guard let first = text.utf8.first, ASCIIText.isLetter(first) else { return false }
    return text.utf8.allSatisfy { ASCIIText.isLetterOrDigit($0) || $0 == UInt8(ascii: "_") }
  }

  private static let punctuation = Array("*?_-".utf8)
}
