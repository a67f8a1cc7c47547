import Testing

@testable import PGKit

@Suite struct KeyDerivationTests {
  // RFC 7914 section 11 (the first of its two blocks), and the vectors of RFC 6070 with SHA-256.
  @Test(
    "derives keys by PBKDF2",
    arguments: [
      ("passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"),
      (
        "Password", "NaCl", 80_000,
        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
      ),
      ("password", "salt", 2, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"),
      (
        "password", "salt", 4096,
        "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a"
      ),
      (
        "passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096,
        "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1"
      ),
    ])
  func pbkdf2(password: String, salt: String, iterations: Int, want: String) throws {
    let key = try KeyDerivation.pbkdf2(
      password: Array(password.utf8), salt: Array(salt.utf8), iterations: iterations
    ) { false }
    #expect(key == Hexadecimal.decode(Array(want.utf8)))
  }

  @Test("stops when it is told to, however many iterations there are")
  func stops() {
    var looks = 0
    #expect(throws: CryptoFailure.stopped) {
      try KeyDerivation.pbkdf2(password: [1], salt: [2], iterations: .max) {
        looks += 1
        return looks == 3
      }
    }
    #expect(looks == 3)
  }

  @Test("refuses a count below one", arguments: [0, -1, Int.min])
  func noIterations(count: Int) {
    #expect(throws: CryptoFailure.self) {
      try KeyDerivation.pbkdf2(password: [1], salt: [2], iterations: count) { false }
    }
  }
}
