import Testing

@testable import PGKit

@Suite struct MD5PasswordTests {
  // Computed with Python's hashlib.
  @Test("digests password, user and salt")
  func digests() throws {
    let answer = try MD5Password.encode(
      user: "md5_user", password: Array("password".utf8), salt: [0x2a, 0x3d, 0x8f, 0xe0])
    #expect(String(decoding: answer, as: UTF8.self) == "md562af4dd09bbb41884907a838a3233294")
  }
}
