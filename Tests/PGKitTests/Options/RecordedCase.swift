import Foundation
import Testing

/// The recorded cases of one file of `Vectors`.
struct RecordedCase {
  let op: String
  let input: Any
  /// What is to come out: the corrected value where the recorded one is a defect.
  let expected: Any?
  /// Whether an error was recorded.
  let fails: Bool
  /// Whether what was recorded is marked as a defect.
  let isDefect: Bool

  static func all(_ name: String) throws -> [RecordedCase] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    let data = try Data(contentsOf: folder.appending(path: "Vectors/\(name).json"))
    let file = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let cases = try #require(file["cases"] as? [[String: Any]])
    #expect(cases.count == file["count"] as? Int)
    return try cases.map { entry in
      RecordedCase(
        op: try #require(entry["op"] as? String), input: try #require(entry["input"]),
        expected: entry["want"] ?? entry["output"], fails: entry["error"] != nil,
        isDefect: entry["defect"] != nil)
    }
  }

  /// A text by which the lists of deviations name the case.
  var name: String { "\(op) \(Self.describe(input))" }

  var text: String {
    get throws { try #require(input as? String) }
  }

  var fields: [String: Any] {
    get throws { try #require(input as? [String: Any]) }
  }

  /// A value with its keys in order, so that it can be compared and named.
  static func describe(_ value: Any?) -> String {
    switch value {
    case nil, is NSNull: "null"
    case let text as String: text
    case let list as [Any]: "[" + list.map(describe).joined(separator: ", ") + "]"
    case let fields as [String: Any]:
      "{"
        + fields.sorted { $0.key < $1.key }.map { "\($0.key): \(describe($0.value))" }
        .joined(separator: ", ") + "}"
    case .some(let other): "\(other)"
    }
  }
}
