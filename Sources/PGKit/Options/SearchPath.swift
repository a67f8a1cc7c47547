/// The setting that the fragment of an IRI stands for.
enum SearchPath {
  static let name = "search_path"

  /// The schemas as the setting's value; names are quoted where they would not mean themselves.
  static func format(_ schemas: [String]) -> String {
    schemas.map { isPlain($0) ? $0 : "\"" + $0.replacing("\"", with: "\"\"") + "\"" }
      .joined(separator: ",")
  }

  /// The schemas of a value that ``format(_:)`` could have written; `nil` for any other value.
  static func parse(_ value: String) -> [String]? {
    var schemas: [String] = []
    var schema = ""
    var isQuoted = false
    for character in value {
      switch character {
      case "\"":
        // The first of two quotes inside a name leaves it, the second one comes back and is kept.
        if !isQuoted, !schema.isEmpty { schema.append(character) }
        isQuoted.toggle()
      case "," where !isQuoted:
        schemas.append(schema)
        schema = ""
      default: schema.append(character)
      }
    }
    schemas.append(schema)
    return format(schemas) == value ? schemas : nil
  }

  private static func isPlain(_ schema: String) -> Bool {
    guard let first = schema.utf8.first, !isDigit(first) else { return false }
    return schema.utf8.allSatisfy { isDigit($0) || isLower($0) || $0 == UInt8(ascii: "_") }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private static func isLower(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
  }
}
