import Testing

@testable import PGKit

@Suite struct AuthenticationPolicyTests {
  private static let everything = Set(AuthenticationMethod.allCases)

  static let wellFormed: [(String?, Set<AuthenticationMethod>)] = [
    (nil, everything),
    ("", everything),
    ("scram-sha-256", [.scramSHA256]),
    ("none", [.none]),
    ("none,scram-sha-256", [.none, .scramSHA256]),
    ("password,md5,gss,sspi,scram-sha-256,oauth,none", everything),
    ("!none", everything.subtracting([.none])),
    ("!password,!md5", everything.subtracting([.password, .md5])),
    ("!password,!md5,!gss,!sspi,!scram-sha-256,!oauth,!none", []),
  ]

  @Test("reads lists of methods", arguments: wellFormed)
  func lists(text: String?, want: Set<AuthenticationMethod>) throws {
    #expect(try Set(AuthenticationPolicy(requireAuth: text).methods) == want)
  }

  @Test(
    "rejects lists that are mixed, repeated or unknown",
    arguments: [
      "password,!md5", "!password,md5", "none,!password", "!none,password",
      "password,password", "!md5,!md5", "none,none", "!none,!none", "md5,none,md5",
      "scram", "SCRAM-SHA-256", "scram-sha-256-plus", "trust", "creds", ",", "md5,", ",md5", "!",
      "!!md5", "md5, password", " md5",
    ])
  func rejects(text: String) {
    #expect(throws: PGError.option("")) { try AuthenticationPolicy(requireAuth: text) }
  }

  @Test("says what is wrong with a list")
  func messages() {
    func message(_ text: String) -> String? {
      do {
        _ = try AuthenticationPolicy(requireAuth: text)
        return nil
      } catch { return error.message }
    }
    #expect(message("scram") == "require_auth names an unknown method: \"scram\"")
    #expect(message("md5,md5") == "require_auth names the method \"md5\" more than once")
    #expect(
      message("!md5,password")
        == "require_auth method \"password\" cannot be mixed with negative methods")
    #expect(
      message("md5,!password")
        == "negative require_auth method \"!password\" cannot be mixed with other methods")
  }

  @Test("accepts any positive limit on iterations")
  func limits() throws {
    #expect(try AuthenticationPolicy().iterationLimit == 1_000_000)
    #expect(try AuthenticationPolicy(iterationLimit: 1).iterationLimit == 1)
    #expect(throws: PGError.option("")) { try AuthenticationPolicy(iterationLimit: 0) }
    #expect(throws: PGError.option("")) { try AuthenticationPolicy(iterationLimit: .min) }
  }
}
