import Testing

@testable import PGKit

@Suite struct HMACTests {
  // RFC 4231 sections 4.2, 4.3, 4.7.
  @Test(
    "computes HMAC-SHA-256",
    arguments: [
      (
        [UInt8](repeating: 0x0b, count: 20), "Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
      ),
      (
        Array("Jefe".utf8), "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
      ),
      (
        [UInt8](repeating: 0xaa, count: 131),
        "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
      ),
    ])
  func hmac(key: [UInt8], message: String, want: String) throws {
    let code = try HMAC.sha256(key: key, Array(message.utf8))
    #expect(code == Hexadecimal.decode(Array(want.utf8)))
  }

  @Test("gives the same code each time it is used")
  func reuse() throws {
    let hmac = try HMAC(key: [1, 2, 3])
    let first = try hmac.code([4, 5])
    _ = try hmac.code([])
    #expect(try hmac.code([4, 5]) == first)
  }
}
