/// A table as an end of copying: its name in parts and, if given, the columns.
///
/// Made of parts, never of text put together, so a name cannot be more than a name.
public struct CopyTable: Hashable, Sendable {
  /// The parts of the name, outermost first: schema and table, or the table alone.
  public let path: [String]
  /// The columns in the order of the data; none are all of them.
  public var columns: [String]

  /// Makes it of names that mean themselves, upper case included.
  public init(_ path: [String], columns: [String] = []) {
    self.path = path
    self.columns = columns
  }

  /// Reads a name as SQL does: `jobs`, `public.jobs`, `"My jobs"(id, "Full name")`.
  ///
  /// What is not in quotes is folded to lower case.
  ///
  /// - Returns: `nil` if the text is anything else than a name with an optional list of columns.
  public init?(parsing text: String) {
    var parser = NameParser(text)
    guard let path = parser.parseName(), let columns = parser.parseColumns(), parser.isAtEnd else {
      return nil
    }
    self.init(path, columns: columns)
  }

  /// The name, every part in quotes: what SQL and `regclass` take for exactly this table.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a name holds a NUL.
  public func quotedName() throws(PGError) -> String {
    var parts: [String] = []
    for part in path { parts.append(try SQL.quoteIdentifier(part)) }
    return parts.joined(separator: ".")
  }

  /// The statement that takes data into the table.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a name holds a NUL.
  public func copyIn(_ format: CopyFormat = .text) throws(PGError) -> String {
    "COPY \(try target()) FROM STDIN WITH (FORMAT \(format.rawValue))"
  }

  /// The statement that gives the table's data.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a name holds a NUL.
  public func copyOut(_ format: CopyFormat = .text) throws(PGError) -> String {
    "COPY \(try target()) TO STDOUT WITH (FORMAT \(format.rawValue))"
  }

  /// The list of columns, every one in quotes; `*` for all.
  func quotedColumns() throws(PGError) -> String {
    guard !columns.isEmpty else { return "*" }
    var list: [String] = []
    for column in columns { list.append(try SQL.quoteIdentifier(column)) }
    return list.joined(separator: ", ")
  }

  private func target() throws(PGError) -> String {
    let name = try quotedName()
    return columns.isEmpty ? name : "\(name) (\(try quotedColumns()))"
  }
}

/// Reads names with dots and a list of columns in parentheses.
private struct NameParser {
  private var rest: Substring.UnicodeScalarView

  init(_ text: String) { rest = Substring(text).unicodeScalars }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func parseName() -> [String]? {
    var parts: [String] = []
    repeat {
      guard let part = parseIdentifier() else { return nil }
      parts.append(part)
    } while take(".")
    return parts
  }

  /// None if there is no list; `nil` if there is one that is not closed or has no names.
  mutating func parseColumns() -> [String]? {
    guard take("(") else { return [] }
    var columns: [String] = []
    repeat {
      guard let column = parseIdentifier() else { return nil }
      columns.append(column)
    } while take(",")
    return take(")") ? columns : nil
  }

  private mutating func parseIdentifier() -> String? {
    skipSpace()
    let name = rest.first == "\"" ? parseQuoted() : parsePlain()
    skipSpace()
    return name
  }

  /// Between double quotes, of which two stand for one.
  private mutating func parseQuoted() -> String? {
    var name = String.UnicodeScalarView()
    rest.removeFirst()
    while let scalar = rest.popFirst() {
      if scalar == "\"" {
        guard rest.first == "\"" else { return name.isEmpty ? nil : String(name) }
        rest.removeFirst()
      }
      name.append(scalar)
    }
    return nil
  }

  /// Without quotes; the server folds ASCII alone in every encoding of more than one byte.
  private mutating func parsePlain() -> String? {
    guard let first = rest.first, Self.isLetter(first) else { return nil }
    let name = rest.prefix { Self.isLetter($0) || Self.isDigit($0) }
    rest.removeFirst(name.count)
    return String(String.UnicodeScalarView(name.map(Self.lowercase)))
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard rest.first == scalar else { return false }
    rest.removeFirst()
    skipSpace()
    return true
  }

  private mutating func skipSpace() {
    rest = rest.drop { $0 == " " || ("\t"..."\r").contains($0) }
  }

  private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
      || scalar.value >= 0x80
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
    ("0"..."9").contains(scalar) || scalar == "$"
  }

  private static func lowercase(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    guard ("A"..."Z").contains(scalar) else { return scalar }
    return Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value) + 0x20)
  }
}
