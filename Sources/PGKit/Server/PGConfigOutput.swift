/// What `pg_config` says about how PostgreSQL was built and where it lies.
///
/// In py-postgresql: `installation.pg_config_dictionary()`.
public struct PGConfigOutput: Sendable, Hashable {
  /// Each line's name in lower case, for example `bindir`, and its value.
  public let values: [String: String]

  /// Parses lines of the form `NAME = value`; other lines are passed over.
  public init(parsing text: String) {
    var values: [String: String] = [:]
    for line in text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" }) {
      guard let (name, value) = Self.pair(line) else { continue }
      values[name] = value
    }
    self.values = values
  }

  private static func pair(_ line: Substring) -> (String, String)? {
    guard let sign = line.firstIndex(of: "=") else { return nil }
    let name = line[..<sign].split(separator: " ")
    guard name.count == 1 else { return nil }
    let value = line[line.index(after: sign)...].drop { $0 == " " }
    return (name[0].lowercased(), String(value))
  }

  /// The value of a name, in whatever case.
  public subscript(_ name: String) -> String? { values[name.lowercased()] }

  /// Where the programs lie.
  public var binaryDirectory: String? { self["bindir"] }

  /// The first word of what it calls itself: `PostgreSQL`.
  ///
  /// In py-postgresql: `Installation.type`.
  public var type: String? {
    self["version"]?.split(separator: " ").first.map(String.init)
  }

  /// Whether its servers and clients can do TLS.
  ///
  /// In py-postgresql: `Installation.ssl`.
  public var hasTLS: Bool {
    configureOptions["with_openssl"] != nil || configureOptions["with_ssl"] != nil
  }

  /// The options that PostgreSQL was configured with, without dashes, `-` as `_`; an option
  /// without a value is empty.
  ///
  /// In py-postgresql: `Installation.configure_options`.
  public var configureOptions: [String: String] {
    var options: [String: String] = [:]
    for word in Self.shellWords(self["configure"] ?? "") where word.hasPrefix("--") {
      let parts = word.dropFirst(2).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0].map { $0 == "-" ? "_" : $0 })
      options[name] = parts.count > 1 ? String(parts[1]) : ""
    }
    return options
  }

  /// Splits as a shell would: quotes of both kinds anywhere in a word, and backslashes.
  private static func shellWords(_ text: String) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in text {
      if isEscaped {
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if let mark = quote {
        if character == mark { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "\\" {
        isEscaped = true
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character == " " || character == "\t" {
        if let whole = word { words.append(whole) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    return words + (word.map { [$0] } ?? [])
  }
}
