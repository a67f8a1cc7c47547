/// Connection options as libpq's keyword string: `host=localhost user='o''brien'`.
///
/// A value with blanks stands in single quotes; inside a value, quoted or not, a backslash takes the
/// next character as it is. Source: PostgreSQL manual, "Keyword/Value Connection Strings".
public enum KeywordString {
  /// Reads a keyword string; a key given twice counts as given last.
  ///
  /// - Throws: ``PGError`` with ``SQLState/clientParameterError`` naming the key, or the byte at
  ///   which the text cannot be read. It never repeats a value.
  public static func parse(_ text: String) throws(PGError) -> ConnectionOptions {
    var options = ConnectionOptions()
    var scanner = Scanner(ArraySlice(text.utf8))
    while let pair = try scanner.next() {
      let place = "in the connection string at byte \(pair.offset + 1)"
      guard let keyword = OptionKeyword[pair.key] else {
        throw pair.mayBeSecret
          ? .option("the word \(place) is no option", hint: Scanner.quotingRule)
          : .unknownOption(pair.key, place: place)
      }
      try keyword.parse(pair.value, into: &options, place: place)
    }
    return options
  }

  /// Writes options as a keyword string that reads back as the same options.
  ///
  /// Server settings, which it has no place for, become `-c` switches in `options`.
  ///
  /// - Parameters:
  ///   - options: What to write.
  ///   - obscuringPassword: Whether stars stand in place of every secret.
  public static func format(
    _ options: ConnectionOptions, obscuringPassword: Bool = false
  ) -> String {
    let options = options.withSettingsAsSwitches()
    return OptionKeyword.all.compactMap { keyword in
      let value =
        obscuringPassword
        ? keyword.formatForDisplay(options) : keyword.access.format(options)
      return value.map { "\(keyword.name)=\(quote($0))" }
    }.joined(separator: " ")
  }

  private static func quote(_ value: String) -> String {
    let isPlain = !value.utf8.contains { Scanner.isBlank($0) || $0 == Scanner.quote }
    if isPlain, !value.isEmpty, !value.utf8.contains(Scanner.backslash) { return value }
    return "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
  }
}

extension KeywordString {
  struct Pair {
    let key: String
    let value: String
    let offset: Int
    /// Whether the key may be a piece of an unquoted password with a blank in it.
    let mayBeSecret: Bool
  }

  /// Cuts a keyword string into its pairs.
  struct Scanner {
    static let quote = UInt8(ascii: "'")
    static let backslash = UInt8(ascii: "\\")
    static let quotingRule =
      "A value with blanks stands in single quotes; inside it, write ' as \\' and \\ as \\\\."

    private var rest: ArraySlice<UInt8>
    private var followsSecret = false

    init(_ text: ArraySlice<UInt8>) { rest = text }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

    mutating func next() throws(PGError) -> Pair? {
      skipBlanks()
      guard !rest.isEmpty else { return nil }
      let offset = rest.startIndex
      let isKey: (UInt8) -> Bool = { $0 != UInt8(ascii: "=") && !Self.isBlank($0) }
      let key = String(decoding: rest.prefix(while: isKey), as: UTF8.self)
      rest = rest.drop(while: isKey)
      skipBlanks()
      guard rest.first == UInt8(ascii: "=") else {
        // The word may belong to a password with a blank, so it is not repeated.
        throw .option(
          "\"=\" is missing behind the word at byte \(offset + 1) of the connection string",
          hint: Self.quotingRule)
      }
      rest = rest.dropFirst()
      skipBlanks()
      let isQuoted = rest.first == Self.quote
      let value = isQuoted ? try quotedValue(at: offset) : plainValue()
      defer { followsSecret = !isQuoted && (OptionKeyword[key]?.isSecret ?? followsSecret) }
      return Pair(
        key: key, value: String(decoding: value, as: UTF8.self), offset: offset,
        mayBeSecret: followsSecret)
    }

    private mutating func skipBlanks() { rest = rest.drop(while: Self.isBlank) }

    private mutating func plainValue() -> [UInt8] {
      var value: [UInt8] = []
      while let byte = rest.popFirst(), !Self.isBlank(byte) { append(byte, to: &value) }
      return value
    }

    private mutating func quotedValue(at offset: Int) throws(PGError) -> [UInt8] {
      rest = rest.dropFirst()
      var value: [UInt8] = []
      while let byte = rest.popFirst() {
        if byte == Self.quote { return value }
        append(byte, to: &value)
      }
      throw .option(
        "the quoted value of the option at byte \(offset + 1) of the connection string has no end",
        hint: Self.quotingRule)
    }

    private mutating func append(_ byte: UInt8, to value: inout [UInt8]) {
      if byte != Self.backslash { return value.append(byte) }
      if let escaped = rest.popFirst() { value.append(escaped) }
    }
  }
}
