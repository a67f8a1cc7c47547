/// A statement in which variables were replaced by their values, and where each of its places was.
///
/// Variables stand in quotes behind a colon: `:'name'` becomes a literal, `:"name"` an identifier. There
/// is no form without quotes, so no value can become SQL.
///
/// Source: PostgreSQL manual, psql, "SQL Interpolation".
public struct SubstitutedText: Sendable, Hashable {
  /// The statement to run.
  public private(set) var text = ""
  private var replacements: [Replacement] = []
  private let source: [UInt8]

  /// What stands in `text` for a part of the source.
  private struct Replacement: Hashable {
    /// In bytes of the source.
    let range: Range<Int>
    /// In Unicode scalars of the text.
    let length: Int
  }

  /// Replaces what is known of `variables` in a statement; what is not stays as it is.
  ///
  /// A text that looks like a variable inside of quotes or a comment is none, nor is one behind `::`.
  ///
  /// - Parameters:
  ///   - source: The text of the statement.
  ///   - variables: What stands for each name, without its colon.
  ///   - comments: What stands in front of the text and is no part of the source; nothing is
  ///     replaced in it.
  ///   - standardConformingStrings: The server's setting of that name.
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a value holds a NUL.
  public init(
    _ source: String, _ variables: [String: String], behind comments: String = "",
    standardConformingStrings: Bool = true
  ) throws(PGError) {
    self.source = Array(source.utf8)
    text = comments
    if !comments.isEmpty {
      replacements.append(Replacement(range: 0..<0, length: comments.unicodeScalars.count))
    }
    guard !variables.isEmpty else {
      text += source
      return
    }
    var scanner = SQLScanner(source, standardConformingStrings: standardConformingStrings)
    var taken = 0
    var colon: Int?
    while let token = try scanner.next() {
      let range = scanner.range
      if token == .quoted, colon == range.lowerBound, let quote = scanner.quotes.first,
        quote.range.lowerBound == range.lowerBound,
        let name = Self.name(in: self.source[quote.range]), let value = variables[name]
      {
        append(range: taken..<range.lowerBound - 1)
        try append(
          value, isLiteral: self.source[range.lowerBound] == UInt8(ascii: "'"),
          for: range.lowerBound - 1..<quote.range.upperBound, standardConformingStrings)
        taken = quote.range.upperBound
      }
      colon = isColon(token, range) ? range.upperBound : nil
    }
    append(range: taken..<self.source.count)
  }

  /// Whether the token is a colon by itself.
  private func isColon(_ token: SQLScanner.Token, _ range: Range<Int>) -> Bool {
    guard token == .symbol, source[range.lowerBound] == UInt8(ascii: ":") else { return false }
    return range.lowerBound == 0 || source[range.lowerBound - 1] != UInt8(ascii: ":")
  }

  /// The name between the quotes, if it is one: letters, digits, underscores.
  private static func name(in quote: ArraySlice<UInt8>) -> String? {
    guard let first = quote.first, [UInt8(ascii: "'"), UInt8(ascii: "\"")].contains(first) else {
      return nil
    }
    let name = quote.dropFirst().dropLast()
    let isName = name.allSatisfy {
      $0 == UInt8(ascii: "_") || $0 >= 0x80 || $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26
    }
    return isName && !name.isEmpty ? String(decoding: name, as: UTF8.self) : nil
  }

  private mutating func append(range: Range<Int>) {
    text += String(decoding: source[range], as: UTF8.self)
  }

  private mutating func append(
    _ value: String, isLiteral: Bool, for range: Range<Int>, _ conforming: Bool
  ) throws(PGError) {
    // A word in front would make a prefix of itself.
    let gap = text.utf8.last.map { $0 > 0x20 && $0 != UInt8(ascii: "(") } == true ? " " : ""
    let quoted =
      isLiteral
      ? try SQL.quoteLiteral(value, standardConformingStrings: conforming)
      : try SQL.quoteIdentifier(value)
    replacements.append(
      Replacement(range: range, length: gap.unicodeScalars.count + quoted.unicodeScalars.count))
    text += gap + quoted
  }

  /// What stands at a place of the text; `nil` beyond its end.
  ///
  /// - Parameter position: The place in Unicode scalars from 1, as the server counts.
  public func scalar(atPosition position: Int) -> Unicode.Scalar? {
    guard position > 0 else { return nil }
    return text.unicodeScalars.dropFirst(position - 1).first
  }

  /// Where in the source's UTF-8 a place of the text comes from.
  ///
  /// - Parameter position: The place in Unicode scalars from 1, as the server counts.
  /// - Returns: Bytes from 0; the beginning of the variable for a place in a value.
  public func sourceOffset(ofPosition position: Int) -> Int {
    var rest = max(position - 1, 0)
    var offset = 0
    for replacement in replacements {
      let (end, used) = advance(offset, by: rest, upTo: replacement.range.lowerBound)
      rest -= used
      if end < replacement.range.lowerBound { return end }
      if rest < replacement.length { return replacement.range.lowerBound }
      rest -= replacement.length
      offset = replacement.range.upperBound
    }
    return advance(offset, by: rest, upTo: source.count).offset
  }

  /// Goes over scalars of the source; says where that ends and over how many.
  private func advance(
    _ start: Int, by count: Int, upTo end: Int
  ) -> (offset: Int, used: Int) {
    var (offset, used) = (start, 0)
    while offset < end, used < count {
      offset += 1
      while offset < end, source[offset] & 0xC0 == 0x80 { offset += 1 }
      used += 1
    }
    return (offset, used)
  }
}
