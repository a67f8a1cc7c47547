extension SQL {
  /// A part of a text of SQL, as far as quotes go.
  ///
  /// In py-postgresql: a text, or a pair of quotation and content.
  public enum Portion: Hashable, Sendable {
    /// Text outside quotes, comments included.
    case plain(String)
    /// A quote: what opens it (`'`, `"`, `E'`, `$tag$`), and what is in it just as it was written.
    ///
    /// The last portion of a text may be without an end.
    case quoted(opening: String, content: String, isTerminated: Bool = true)

    /// The text that it was made of.
    public var text: String {
      switch self {
      case .plain(let text): text
      case .quoted(let opening, let content, let isTerminated):
        opening + content + (isTerminated ? Self.ending(of: opening) : "")
      }
    }

    /// A dollar quote ends as it began, others without the prefix.
    private static func ending(of opening: String) -> String {
      opening.hasPrefix("$") ? opening : String(opening.suffix(1))
    }
  }

  /// Splits a text into what is quoted and what is not.
  ///
  /// Errors of quoting are found, but never thrown: a quote without an end is the last portion, and
  /// says so. A plain portion is never empty.
  ///
  /// - Parameters:
  ///   - text: What to split.
  ///   - standardConformingStrings: The server's setting of that name.
  ///
  /// In py-postgresql: `string.split`.
  public static func split(
    _ text: String, standardConformingStrings: Bool = true
  ) -> [Portion] {
    var splitter = PortionSplitter(text, standardConformingStrings: standardConformingStrings)
    return splitter.split(at: nil).first ?? []
  }

  /// Puts a split text together again.
  ///
  /// In py-postgresql: `string.unsplit`.
  public static func unsplit(_ portions: some Sequence<Portion>) -> String {
    portions.reduce(into: "") { $0 += $1.text }
  }

  /// Splits a text into statements, each of them split into portions.
  ///
  /// What follows the last separator is a statement too, even if it is empty. For running a script
  /// see ``ScriptSplitter``, which knows comments, parentheses and routine bodies as well.
  ///
  /// - Parameters:
  ///   - text: What to split.
  ///   - separator: One character that is neither blank nor part of a word or a quote.
  ///   - standardConformingStrings: The server's setting of that name.
  ///
  /// In py-postgresql: `string.split_sql`.
  public static func splitSQL(
    _ text: String, separator: Character = ";", standardConformingStrings: Bool = true
  ) -> [[Portion]] {
    var splitter = PortionSplitter(text, standardConformingStrings: standardConformingStrings)
    return splitter.split(at: separator)
  }

  /// The same as texts.
  ///
  /// In py-postgresql: `string.split_sql_str`.
  public static func splitSQLStrings(
    _ text: String, separator: Character = ";", standardConformingStrings: Bool = true
  ) -> [String] {
    splitSQL(
      text, separator: separator, standardConformingStrings: standardConformingStrings
    ).map { unsplit($0) }
  }
}

/// Goes through a text once and gathers its portions.
private struct PortionSplitter {
  private var scanner: SQLScanner
  private let bytes: [UInt8]
  /// Up to where the text has been put into portions.
  private var taken = 0
  private var portions: [SQL.Portion] = []

  init(_ text: String, standardConformingStrings: Bool) {
    scanner = SQLScanner(text, standardConformingStrings: standardConformingStrings)
    bytes = Array(text.utf8)
  }

  mutating func split(at separator: Character?) -> [[SQL.Portion]] {
    let mark = separator.map { Array($0.utf8) }
    var parts: [[SQL.Portion]] = []
    while let token = nextToken() {
      switch token {
      case .quoted: for quote in scanner.quotes { take(quote) }
      case .lineComment, .blockComment, .word: continue
      default:
        guard let mark, bytes[scanner.range.lowerBound...].starts(with: mark) else { continue }
        takePlain(to: scanner.range.lowerBound)
        taken = scanner.range.lowerBound + mark.count
        parts.append(portions)
        portions = []
      }
    }
    takePlain(to: bytes.count)
    return parts + [portions]
  }

  /// The next token; what is left behind a beginning without an end goes where it belongs.
  private mutating func nextToken() -> SQLScanner.Token? {
    let position = scanner.range.upperBound
    do throws(PGError) { return try scanner.next() } catch {
      for quote in scanner.quotes where quote.range.lowerBound >= position { take(quote) }
      return nil
    }
  }

  private mutating func takePlain(to end: Int) {
    if taken < end { portions.append(.plain(scanner.text(taken..<end))) }
    taken = max(taken, end)
  }

  private mutating func take(_ quote: SQLScanner.Quote) {
    let range = quote.range
    let length = openingLength(at: range.lowerBound)
    // Of the prefixes only E changes what the content means.
    let hasPrefix =
      range.lowerBound > taken && range.lowerBound == scanner.range.lowerBound + 1
      && bytes[range.lowerBound - 1] | 0x20 == UInt8(ascii: "e")
    let start = range.lowerBound - (hasPrefix ? 1 : 0)
    let begin = range.lowerBound + length
    takePlain(to: start)
    portions.append(
      .quoted(
        opening: scanner.text(start..<begin),
        content: scanner.text(begin..<range.upperBound - (quote.isTerminated ? length : 0)),
        isTerminated: quote.isTerminated))
    taken = range.upperBound
  }

  /// The length of a tag with its dollars, or 1 for a quote.
  private func openingLength(at start: Int) -> Int {
    let dollar = UInt8(ascii: "$")
    guard bytes[start] == dollar, let end = bytes[(start + 1)...].firstIndex(of: dollar) else {
      return 1
    }
    return end + 1 - start
  }
}
