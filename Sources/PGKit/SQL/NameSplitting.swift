// Names in a text: with dots between their parts, or several of them with commas in between.

extension SQL {
  /// Splits a text at a separator, but not inside quotes of one simple kind.
  ///
  /// Dollar quotes and backslash escapes are not known; a quote without an end reaches to the end of
  /// the text.
  ///
  /// - Parameters:
  ///   - text: What to split.
  ///   - quote: What begins and ends a quote; two of it inside stand for one.
  ///   - separator: What stands between the parts.
  ///   - maxSplits: How often it is split at most.
  ///
  /// In py-postgresql: `string.split_using`.
  public static func splitUsing(
    _ text: String, quote: Unicode.Scalar, separator: String = ".", maxSplits: Int = .max
  ) -> [String] {
    // Scalars, not characters: a quote with a combining mark behind it is a quote all the same.
    var parts = [String.UnicodeScalarView()]
    var isQuoted = false
    var rest = Substring(text).unicodeScalars
    let mark = separator.unicodeScalars
    while let next = rest.first {
      if next == quote { isQuoted.toggle() }
      if !isQuoted, parts.count <= maxSplits, !mark.isEmpty, rest.starts(with: mark) {
        parts.append(String.UnicodeScalarView())
        rest.removeFirst(mark.count)
      } else {
        parts[parts.count - 1].append(rest.removeFirst())
      }
    }
    return parts.map { String($0) }
  }

  /// Splits a series of identifiers: `a, "B c"` becomes `a` and `B c`.
  ///
  /// What is not in double quotes is folded to lower case, as the server folds it.
  ///
  /// - Throws: ``PGError`` 42602 naming the part that is no identifier.
  ///
  /// In py-postgresql: `string.split_ident`.
  public static func splitIdentifiers(
    _ text: String, separator: String = ",", maxSplits: Int = .max
  ) throws(PGError) -> [String] {
    var names: [String] = []
    for part in splitUsing(text, quote: "\"", separator: separator, maxSplits: maxSplits) {
      var reader = NameReader(part)
      guard let name = reader.readIdentifier(), reader.isAtEnd else {
        throw PGError(
          code: .invalidName, message: "\"\(part)\" is no identifier", fault: .caller,
          hint: "write it in double quotes, with every double quote inside doubled")
      }
      names.append(name)
    }
    return names
  }

  /// Splits a qualified name into its parts: `public."My jobs"` becomes `public` and `My jobs`.
  ///
  /// - Throws: ``PGError`` naming the part that is no identifier.
  ///
  /// In py-postgresql: `string.split_qname`.
  public static func splitQualifiedName(
    _ text: String, maxSplits: Int = .max
  ) throws(PGError) -> [String] {
    try splitIdentifiers(text, separator: ".", maxSplits: maxSplits)
  }

  /// Puts a qualified name together of its parts, every one in quotes.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a part holds a NUL.
  ///
  /// In py-postgresql: `string.qname`.
  public static func qualifiedName(_ parts: String...) throws(PGError) -> String {
    try qualifiedName(parts)
  }

  /// Puts a qualified name together of its parts, every one in quotes.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a part holds a NUL.
  ///
  /// In py-postgresql: `string.qname`.
  public static func qualifiedName(_ parts: [String]) throws(PGError) -> String {
    var quoted: [String] = []
    for part in parts { quoted.append(try quoteIdentifier(part)) }
    return quoted.joined(separator: ".")
  }

  /// Puts a qualified name together of its parts, those in quotes that need them.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a part holds a NUL.
  ///
  /// In py-postgresql: `string.qname_if_needed`.
  public static func qualifiedNameIfNeeded(_ parts: String...) throws(PGError) -> String {
    try qualifiedNameIfNeeded(parts)
  }

  /// Puts a qualified name together of its parts, those in quotes that need them.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a part holds a NUL.
  ///
  /// In py-postgresql: `string.qname_if_needed`.
  public static func qualifiedNameIfNeeded(_ parts: [String]) throws(PGError) -> String {
    var names: [String] = []
    for part in parts { names.append(try quoteIdentifierIfNeeded(part)) }
    return names.joined(separator: ".")
  }
}
