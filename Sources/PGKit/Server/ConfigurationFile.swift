/// A server's configuration file, `postgresql.conf` or one like it: read, and edited so that every
/// comment and every line that is not meant stays as it is.
///
/// ```swift
/// var file = try ConfigurationFile(reading: "/srv/pg/postgresql.conf")
/// file["shared_buffers"] = "1GB"
/// file["port"] = nil
/// try file.write(to: "/srv/pg/postgresql.conf")
/// ```
///
/// Names are compared without regard to case, as the server does. Of a repeated setting the last
/// one counts. Files that are included are not looked into.
///
/// Source: PostgreSQL manual, "Parameter Interaction via the Configuration File". In
/// py-postgresql: `configfile.ConfigFile`.
public struct ConfigurationFile: Sendable, Hashable {
  /// The lines with their line ends.
  var lines: [Line]

  /// Makes a file of a text.
  public init(parsing text: String = "") { self.init(bytes: Array(text.utf8)) }

  /// Makes a file of its bytes, which need not be UTF-8.
  init(bytes: [UInt8]) {
    lines = []
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: ASCII.newline).map { $0 + 1 } ?? bytes.count
      lines.append(Line(bytes: Array(bytes[start..<end])))
      start = end
    }
  }

  /// The file's bytes.
  var bytes: [UInt8] { lines.flatMap(\.bytes) }

  /// The whole text; bytes that are not UTF-8 are replaced in it, not in the file.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// A setting that is in force: its name as it is written, and its value without quotes.
  public struct Setting: Sendable, Hashable {
    /// The name, in the case in which it is written.
    public let name: String
    /// The value.
    public let value: String
  }

  /// The settings that count, each once, in the order in which their names first come.
  ///
  /// Instructions to include other files are not settings.
  ///
  /// In py-postgresql: `ConfigFile.items()`.
  public var settings: [Setting] {
    var places: [String: Int] = [:]
    var result: [Setting] = []
    for line in lines {
      guard let entry = line.entry, !entry.isCommented else { continue }
      let name = line.name(entry)
      if name.isEmpty || Line.inclusions.contains(name.lowercased()) { continue }
      let setting = Setting(name: name, value: Self.unquoted(line.value(entry)))
      if let place = places[name.lowercased()] {
        result[place] = setting
      } else {
        places[name.lowercased()] = result.count
        result.append(setting)
      }
    }
    return result
  }

  /// The value of a setting; `nil` if it is not set or commented out.
  ///
  /// Setting a value changes the line that fits best, or adds one; setting `nil` comments every line
  /// of that name out.
  public subscript(name: String) -> String? {
    get {
      let folded = Self.folded(name)
      return settings.last { $0.name.lowercased() == folded }?.value
    }
    set { apply([(name, newValue)]) }
  }

  /// Whether a text can be a setting's name: letters, digits, `_` and, for extensions, points.
  public static func isName(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy {
        ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "_") || $0 == ASCII.dot
      }
  }

  static func folded(_ name: String) -> String {
    String(decoding: Line.trimmed(Array(name.utf8)[...]), as: UTF8.self).lowercased()
  }
}

// Values
extension ConfigurationFile {
  /// What a value means: without its quotes, with what was escaped in them.
  static func unquoted(_ text: String) -> String {
    let bytes = Line.trimmed(Array(text.utf8)[...])
    guard bytes.first == ASCII.quote else { return String(decoding: bytes, as: UTF8.self) }
    var reading = EscapedText(rest: bytes.dropFirst().dropLast())
    return String(decoding: reading.all(), as: UTF8.self)
  }

  /// A value as it is written, always in quotes.
  ///
  /// A zero byte has no form in the file; it is left out.
  static func quoted(_ value: String) -> [UInt8] {
    var result = [ASCII.quote]
    for byte in value.utf8 where byte != 0 {
      switch byte {
      case ASCII.quote: result += [byte, byte]
      case ASCII.backslash: result += [byte, byte]
      // A value ends with its line.
      case ASCII.newline: result += [ASCII.backslash, UInt8(ascii: "n")]
      default: result.append(byte)
      }
    }
    return result + [ASCII.quote]
  }

  /// What stands between quotes: a doubled quote is one, and a backslash begins one of C's escapes.
  ///
  /// Source: PostgreSQL's `DeescapeQuotedString` in `src/backend/utils/misc/guc-file.l`.
  private struct EscapedText {
    var rest: ArraySlice<UInt8>

    mutating func all() -> [UInt8] {
      var result: [UInt8] = []
      while let byte = rest.popFirst() {
        if byte == ASCII.quote, rest.first == ASCII.quote { rest.removeFirst() }
        result.append(byte == ASCII.backslash ? escaped() : byte)
      }
      return result
    }

    private mutating func escaped() -> UInt8 {
      guard let byte = rest.popFirst() else { return ASCII.backslash }
      switch byte {
      case UInt8(ascii: "b"): return 8
      case UInt8(ascii: "f"): return 12
      case UInt8(ascii: "n"): return ASCII.newline
      case UInt8(ascii: "r"): return ASCII.carriageReturn
      case UInt8(ascii: "t"): return ASCII.tab
      case ASCII.zero...UInt8(ascii: "7"): return octal(from: byte)
      default: return byte
      }
    }

    private mutating func octal(from first: UInt8) -> UInt8 {
      var value = first - ASCII.zero
      for _ in 0..<2 {
        guard let digit = rest.first, digit >= ASCII.zero, digit <= UInt8(ascii: "7") else { break }
        value = value << 3 | (digit - ASCII.zero)
        rest.removeFirst()
      }
      return value
    }
  }
}

extension ConfigurationFile: CustomStringConvertible {
  /// The text.
  public var description: String { text }
}
