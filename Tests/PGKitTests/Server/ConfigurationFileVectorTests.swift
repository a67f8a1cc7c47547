import Foundation
import Testing

@testable import PGKit

/// py-postgresql's recorded way of reading and editing configuration files.
///
/// Each deviation is named with its reason.
@Suite struct ConfigurationFileVectorTests {
  private static let different: [String: String] = [
    // The sign between name and value may be missing.
    "parse_line foo bar\n": "foo [0, 3] bar [4, 7]",
    // A quote after a backslash does not end the value.
    "parse_line foo = 'a\\'b'\n": "foo [0, 3] 'a\\'b' [6, 12]",
    // An empty file can take a setting.
    "alter_config {changes: {foo: 1}, lines: []}": "foo = '1'",
    // Settings can be gone through, and taken out.
    "file_iter port = 5432\n#max = 1\nlisten = 'a, b'\n": "port listen",
    "file_del port = 5432\n#max = 1\nlisten = 'a, b'\n":
      "#port = 5432\n#max = 1\nlisten = 'a, b'\n",
  ]

  @Test("reads and edits as py-postgresql does, but for the deviations that are named")
  func vectors() throws {
    var deviations = Set(Self.different.keys)
    let cases = try RecordedCase.all("configfile")
    #expect(cases.count == 70)
    for vector in cases {
      deviations.remove(vector.name)
      let expected = try Self.different[vector.name] ?? Self.expectation(vector)
      #expect(try outcome(vector) == expected, "\(vector.name)")
      #expect(vector.isDefect == (Self.different[vector.name] != nil), "\(vector.name)")
    }
    #expect(deviations.isEmpty, "\(deviations)")
  }

  private static func expectation(_ vector: RecordedCase) throws -> String {
    switch vector.op {
    case "parse_line":
      guard let fields = vector.expected as? [String: Any] else { return "none" }
      return ["key", "key_slice", "value", "value_slice"]
        .map { RecordedCase.describe(fields[$0]) }.joined(separator: " ")
    case "alter_config": return try #require(vector.expected as? [String]).joined()
    case "file_get_default", "file_set":
      return try #require((vector.expected as? [Any])?.last as? String)
    case "file_keys", "file_items", "file_len":
      return RecordedCase.describe((vector.expected as? [Any])?.first)
    default: return RecordedCase.describe(vector.expected)
    }
  }

  private func outcome(_ vector: RecordedCase) throws -> String {
    switch vector.op {
    case "parse_line": return try parsed(vector.text)
    case "unquote": return try ConfigurationFile.unquoted(vector.text)
    case "read_config":
      let file = ConfigurationFile(parsing: try #require(vector.input as? [String]).joined())
      let pairs = file.settings.map { ($0.name, $0.value) }
      return RecordedCase.describe(Dictionary(uniqueKeysWithValues: pairs))
    case "alter_config": return try altered(vector.fields)
    case "write_config": return try written(vector.fields)
    default: return try fileOutcome(vector)
    }
  }

  private func parsed(_ text: String) throws -> String {
    let line = ConfigurationFile.Line(bytes: Array(text.utf8))
    guard let entry = line.entry else { return "none" }
    let (name, value) = (entry.name, entry.value)
    return "\(line.name(entry)) [\(name.lowerBound), \(name.upperBound)] "
      + "\(line.value(entry)) [\(value.lowerBound), \(value.upperBound)]"
  }

  private func altered(_ fields: [String: Any]) throws -> String {
    var file = ConfigurationFile(parsing: try #require(fields["lines"] as? [String]).joined())
    let changes = try #require(fields["changes"] as? [String: Any])
    file.apply(changes.sorted { $0.key < $1.key }.map { ($0.key, $0.value as? String) })
    return file.text
  }

  /// What was recorded is two lines without blanks and quotes; ours are read as the same settings.
  private func written(_ fields: [String: Any]) throws -> String {
    let text = ["foo", "bar"].map { "\($0)=\(RecordedCase.describe(fields[$0]))\n" }.joined()
    let read = ConfigurationFile(parsing: text).settings.map { ($0.name, $0.value) }
    var file = ConfigurationFile()
    file.apply(read.map { ($0.0, $0.1) })
    #expect(file.settings.map { ($0.name, $0.value) }.elementsEqual(read, by: ==))
    return text
  }

  private func fileOutcome(_ vector: RecordedCase) throws -> String {
    var file = ConfigurationFile(parsing: try vector.text)
    let names = file.settings.map(\.name)
    switch vector.op {
    case "file_get_default": #expect(file["absent"] == nil)
    case "file_set": file["port"] = "1"
    case "file_del": file["port"] = nil
    case "file_keys": return RecordedCase.describe(names)
    case "file_items": return RecordedCase.describe(file.settings.map { [$0.name, $0.value] })
    case "file_len": return String(file.settings.count)
    case "file_iter": return names.joined(separator: " ")
    default: Issue.record("\(vector.op)")
    }
    return file.text
  }
}
