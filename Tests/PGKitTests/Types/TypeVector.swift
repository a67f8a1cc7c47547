import Testing

@testable import PGKit

/// One case of Vectors/types.json.
struct TypeVector: CustomStringConvertible {
  let operation: String
  let input: Any?
  /// What is right: `want` where the recorded output is a defect, else `output`.
  let expected: Any?
  let isError: Bool
  let note: String?

  init(_ fields: [String: Any]) throws {
    operation = try #require(fields["op"] as? String)
    input = fields["input"]
    expected = fields["want"] ?? fields["output"]
    isError = fields["error"] != nil && fields["want"] == nil
    note = fields["note"] as? String
  }

  /// The type of `pack:` and `unpack:` operations, else the operation itself.
  var subject: String { String(operation.split(separator: ":").last ?? "") }

  var isUnpacking: Bool { operation.hasPrefix("unpack:") }

  var description: String { "\(operation) \(input ?? "")" }

  /// The value and its binary form, whichever way the case goes.
  func sides() throws -> (value: Any?, wire: [UInt8]) {
    let (value, wire) = isUnpacking ? (expected, input) : (input, expected)
    return (value, try #require(Self.bytes(wire), "\(self)"))
  }

  /// The bytes of a `{"hex": …}` object.
  static func bytes(_ value: Any?) -> [UInt8]? {
    ((value as? [String: Any])?["hex"] as? String).flatMap { Hexadecimal.decode($0.utf8) }
  }
}
