import Testing

@testable import PGKit

@Suite struct AuthenticationRequestTests {
  private static func body(_ code: Int32, _ rest: [UInt8] = []) -> [UInt8] {
    withUnsafeBytes(of: code.bigEndian) { Array($0) } + rest
  }

  private func decode(_ bytes: [UInt8]) throws(OutOfBytes) -> AuthenticationRequest {
    try ByteReader.over(bytes) { (reader) throws(OutOfBytes) in
      try AuthenticationRequest(decoding: &reader)
    }
  }

  static let wellFormed: [([UInt8], AuthenticationRequest)] = [
    (body(0), .ok),
    (body(2), .kerberosV5),
    (body(3), .cleartextPassword),
    (body(5, [1, 2, 3, 4]), .md5Password(salt: [1, 2, 3, 4])),
    (body(6), .scmCredential),
    (body(7), .gss),
    (body(8, [9, 9]), .gssContinue([9, 9])),
    (body(9), .sspi),
    (
      body(10, Array("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0".utf8)),
      .sasl(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"])
    ),
    (body(10, [0]), .sasl([])),
    (body(11, Array("r=x".utf8)), .saslContinue(Array("r=x".utf8))),
    (body(11), .saslContinue([])),
    (body(12, Array("v=x".utf8)), .saslFinal(Array("v=x".utf8))),
    (body(4, Array("salt".utf8)), .unknown(4)),
    (body(255), .unknown(255)),
    (body(-1, [1]), .unknown(-1)),
  ]

  @Test("decodes every request", arguments: wellFormed)
  func decodes(bytes: [UInt8], want: AuthenticationRequest) throws {
    #expect(try decode(bytes) == want)
  }

  static let malformed: [[UInt8]] = [
    [], [0], [0, 0, 0],
    body(0, [0]), body(3, [0]), body(7, [1]), body(9, [1]),
    body(5), body(5, [1, 2, 3]), body(5, [1, 2, 3, 4, 5]),
    body(10), body(10, Array("SCRAM-SHA-256".utf8)), body(10, Array("SCRAM-SHA-256\0".utf8)),
    body(10, Array("SCRAM-SHA-256\0\0\0".utf8)), body(10, Array("\0SCRAM-SHA-256\0".utf8)),
  ]

  @Test("rejects bodies that are too short, too long, or without an end", arguments: malformed)
  func rejects(bytes: [UInt8]) {
    #expect(throws: OutOfBytes()) { try decode(bytes) }
  }
}
