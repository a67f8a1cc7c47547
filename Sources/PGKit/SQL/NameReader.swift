/// Reads a name as the server does: parts with dots in between, what is not in quotes folded to lower
/// case; then perhaps a list of columns in parentheses.
///
/// Source: PostgreSQL manual, "Identifiers and Key Words".
struct NameReader {
  private var rest: Substring.UnicodeScalarView

  init(_ text: String) { rest = Substring(text).unicodeScalars }

  var isAtEnd: Bool { rest.isEmpty }

  /// The parts of a name; `nil` if there is none.
  mutating func readName() -> [String]? {
    var parts: [String] = []
    repeat {
      guard let part = readIdentifier() else { return nil }
      parts.append(part)
    } while take(".")
    return parts
  }

  /// None if there is no list; `nil` if there is one that is not closed or has no names.
  mutating func readColumns() -> [String]? {
    guard take("(") else { return [] }
    var columns: [String] = []
    repeat {
      guard let column = readIdentifier() else { return nil }
      columns.append(column)
    } while take(",")
    return take(")") ? columns : nil
  }

  /// One identifier with the blanks around it; `nil` if there is none.
  mutating func readIdentifier() -> String? {
    skipSpace()
    let name = rest.first == "\"" ? readQuoted() : readPlain()
    skipSpace()
    return name
  }

  /// Between double quotes, of which two stand for one.
  private mutating func readQuoted() -> String? {
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
  private mutating func readPlain() -> String? {
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
