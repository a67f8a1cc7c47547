/// One connection option: its spellings, where else it may come from, and how it reads as text.
///
/// The table of all of them is ``all``. The IRI, the keyword string, the environment, service
/// files, descriptions and merging read this table and know no option by name themselves, except
/// the ones that have a place of their own in an IRI.
struct OptionKeyword: Sendable {
  /// libpq's keyword; PGKit's own word where libpq has none.
  let name: String
  /// Further spellings: py-postgresql's.
  let aliases: [String]
  /// The environment variable, spelled with the prefix `PG`.
  let variable: String?
  /// What holds when nobody says anything, as text.
  let fallback: String?
  /// Whether the value must not be shown.
  let isSecret: Bool
  let access: OptionAccess

  init(
    _ name: String, or aliases: [String] = [], variable: String? = nil, fallback: String? = nil,
    isSecret: Bool = false, _ access: OptionAccess
  ) {
    self.name = name
    self.aliases = aliases
    self.variable = variable
    self.fallback = fallback
    self.isSecret = isSecret
    self.access = access
  }

  /// Takes a value from text.
  ///
  /// - Parameter place: where the text was found, to complete "option "port" …".
  func parse(
    _ text: String, into options: inout ConnectionOptions, place: String
  ) throws(PGError) {
    if text.utf8.contains(0) { throw .option("option \"\(name)\" \(place) holds a NUL byte") }
    if let complaint = access.parse(text, &options) {
      throw .option("option \"\(name)\" \(place) has a value that cannot be: \(complaint)")
    }
  }

  /// The value as text, or stars if it must not be shown.
  func formatForDisplay(_ options: ConnectionOptions) -> String? {
    access.format(options).map { isSecret ? Self.mask : $0 }
  }

  /// What stands for a secret.
  static let mask = "***"
}

extension OptionKeyword {
  /// The option of that spelling.
  static subscript(_ spelling: String) -> OptionKeyword? { bySpelling[spelling] }

  private static let bySpelling: [String: OptionKeyword] = Dictionary(
    all.flatMap { keyword in ([keyword.name] + keyword.aliases).map { ($0, keyword) } },
    uniquingKeysWith: { first, _ in first })

  /// The spelling that an unknown one was most likely meant to be.
  static func nearest(to unknown: String) -> String? {
    let spelling = unknown.lowercased()
    guard spelling.utf8.count <= 64 else { return nil }
    let limit = spelling.utf8.count <= 4 ? 1 : 2
    let candidates = bySpelling.keys.map { ($0, editDistance($0, spelling)) }
    return candidates.filter { $0.1 <= limit }.min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
  }

  /// How many letters must be put in, left out or replaced to make one word of the other.
  private static func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right.utf8)
    var row = Array(0...right.count)
    for (index, letter) in left.utf8.enumerated() {
      var previous = row
      swap(&previous, &row)
      row[0] = index + 1
      for (column, other) in right.enumerated() {
        let replaced = previous[column] + (letter == other ? 0 : 1)
        row[column + 1] = min(replaced, previous[column + 1] + 1, row[column] + 1)
      }
    }
    return row[right.count]
  }
}

extension PGError {
  /// A key that is no option.
  static func unknownOption(_ key: String, place: String) -> PGError {
    .option(
      "\"\(key)\" \(place) is not a connection option",
      hint: OptionKeyword.nearest(to: key).map { "Perhaps \"\($0)\" is meant." })
  }
}
