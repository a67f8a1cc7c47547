import Foundation
import PGErrorCodes
import Testing

/// One recorded answer of py-postgresql's lookup.
struct LookupVector: Sendable, CustomTestStringConvertible {
  let operation: String
  let input: String
  let name: String
  let code: String

  var testDescription: String { "\(operation)(\(input))" }

  static func all() throws -> [LookupVector] {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Vectors/errcode.json")
    let root = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    let cases = try #require(root?["cases"] as? [[String: Any]])
    return cases.compactMap { vector in
      guard let operation = vector["op"] as? String, operation.hasSuffix("_lookup"),
        let input = vector["input"] as? String,
        let output = (vector["want"] ?? vector["output"]) as? [String], output.count == 2
      else { return nil }
      return LookupVector(operation: operation, input: input, name: output[0], code: output[1])
    }
  }

  static func value(of operation: String) throws -> Any? {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Vectors/errcode.json")
    let root = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
    let cases = try #require(root?["cases"] as? [[String: Any]])
    return cases.first { $0["op"] as? String == operation }.map {
      $0["want"] ?? $0["output"] as Any
    }
  }
}

@Suite struct ExceptionNameTests {
  @Test("answers every recorded lookup as py-postgresql does")
  func recordedLookups() throws {
    let vectors = try LookupVector.all()
    #expect(vectors.count >= 36)
    for vector in vectors {
      let answer =
        vector.operation == "error_lookup"
        ? ExceptionName.error(for: vector.input) : ExceptionName.warning(for: vector.input)
      #expect(answer.name == vector.name, "\(vector)")
      #expect(answer.code?.description ?? "" == vector.code, "\(vector)")
    }
  }

  @Test(
    "answers a retired code with its successor, and a code it lacks with its class",
    arguments: [
      ("22020", "LimitValueError [2201W]"), ("2201W", "LimitValueError [2201W]"),
      ("22019", "DataError [22000]"), ("57P04", "OIError [57000]"),
      ("--XYZ", "DriverError [--000]"),
      ("42ZZZ", "SEARVError [42000]"), ("08p01", "ConnectionError [08000]"), ("zzzzz", "Error []"),
    ])
  func errors(input: String, want: String) {
    #expect(ExceptionName.error(for: input).description == want)
  }

  @Test(
    "answers a warning's code, its class, or Warning",
    arguments: [
      ("01P01", "DeprecationWarning"), ("01-CP", "IgnoredClientParameterWarning"),
      ("XX000", "Warning"), ("42P01", "Warning"),
    ])
  func warnings(input: String, want: String) {
    #expect(ExceptionName.warning(for: input).name == want)
  }

  @Test("knows the same disconnections as py-postgresql, and the server's newer ones")
  func disconnections() throws {
    let ours = SQLState.definitions.filter { $0.ancestors.contains("Disconnection") }.map(\.name)
    let recorded = try #require(
      try LookupVector.value(of: "subclasses_of_Disconnection") as? [String])
    let newer = [
      "DatabaseDroppedError", "IdleInTransactionTimeoutError", "IdleSessionTimeoutError",
      "PasswordError", "TransactionTimeoutError",
    ]
    #expect(Set(ours) == Set(recorded + newer))
  }
}
