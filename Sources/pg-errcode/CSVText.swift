/// Texts as fields of CSV.
///
/// Source: RFC 4180, 2.
enum CSVText {
  /// The text in quotation marks, with those within it doubled.
  ///
  /// - Parameter onlyIfNeeded: Whether a text that needs no marks gets none.
  static func quoted(_ text: String, onlyIfNeeded: Bool = false) -> String {
    let needsMarks = text.contains { $0 == "," || $0 == "\"" || $0.isNewline }
    guard needsMarks || !onlyIfNeeded else { return text }
    let parts = text.split(separator: "\"", omittingEmptySubsequences: false)
    return "\"" + parts.joined(separator: "\"\"") + "\""
  }
}
