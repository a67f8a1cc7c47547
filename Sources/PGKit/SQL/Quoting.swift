/// Text of SQL: quoting, names and scripts.
///
/// In py-postgresql: `postgresql.string`.
public enum SQL {}

// Quoting works on Swift's text, which is always valid, so no broken character can hide a quote from
// it (CVE-2025-1094). A NUL, which the server would take for the end of the statement, is refused.

extension SQL {
  /// Makes a text the inside of a literal: quotes doubled, nothing around it.
  ///
  /// Backslashes stay as they are, which is right while `standard_conforming_strings` is on.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if the text holds a NUL.
  ///
  /// In py-postgresql: `string.escape_literal`.
  public static func escapeLiteral(_ text: String) throws(PGError) -> String {
    try doubling(UInt8(ascii: "'"), in: text, as: "a literal")
  }

  /// Makes a text a literal: `o'brien` becomes `'o''brien'`.
  ///
  /// - Parameters:
  ///   - text: What the literal is to stand for.
  ///   - standardConformingStrings: The server's setting of that name. Off, a text with a backslash
  ///     becomes an `E''` literal, which means the same whatever the setting is.
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if the text holds a NUL.
  ///
  /// In py-postgresql: `string.quote_literal`.
  public static func quoteLiteral(
    _ text: String, standardConformingStrings: Bool = true
  ) throws(PGError) -> String {
    let quoted = "'" + (try escapeLiteral(text)) + "'"
    guard !standardConformingStrings, text.utf8.contains(UInt8(ascii: "\\")) else { return quoted }
    return "E" + (try doubling(UInt8(ascii: "\\"), in: quoted, as: "a literal"))
  }

  /// Makes a text the inside of a quoted identifier: double quotes doubled, nothing around it.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if the text holds a NUL.
  ///
  /// In py-postgresql: `string.escape_ident`.
  public static func escapeIdentifier(_ text: String) throws(PGError) -> String {
    try doubling(UInt8(ascii: "\""), in: text, as: "an identifier")
  }

  /// Makes a text a quoted identifier: `a"b` becomes `"a""b"`.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if the text holds a NUL.
  ///
  /// In py-postgresql: `string.quote_ident`.
  public static func quoteIdentifier(_ text: String) throws(PGError) -> String {
    "\"" + (try escapeIdentifier(text)) + "\""
  }

  /// Makes a text an identifier, quoted only if it would not mean itself without quotes.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if the text holds a NUL.
  ///
  /// In py-postgresql: `string.quote_ident_if_needed`.
  public static func quoteIdentifierIfNeeded(_ text: String) throws(PGError) -> String {
    needsQuoting(text) ? try quoteIdentifier(text) : text
  }

  /// Whether a name must be quoted to mean itself: because of a character, of upper case, which the
  /// server would fold, or because it is a key word.
  ///
  /// Source: PostgreSQL manual, "Identifiers and Key Words", and the server's `quote_ident`. Beyond
  /// the latter, letters outside ASCII stand without quotes, as the grammar allows.
  ///
  /// In py-postgresql: `string.needs_quoting`.
  public static func needsQuoting(_ name: String) -> Bool {
    guard let first = name.utf8.first, !isDigit(first) else { return true }
    return !name.utf8.allSatisfy(isPlain) || KeyWords.reserved.contains(name)
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || byte == UInt8(ascii: "_") || byte >= 0x80
  }

  private static func doubling(
    _ quote: UInt8, in text: String, as what: String
  ) throws(PGError) -> String {
    var output: [UInt8] = []
    output.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
      if byte == 0 { throw .parameter("text with a NUL cannot be \(what)") }
      if byte == quote { output.append(quote) }
      output.append(byte)
    }
    return String(decoding: output, as: UTF8.self)
  }
}
