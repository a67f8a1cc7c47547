import Testing

@testable import PGKit

@Suite struct SCRAMMessagesTests {
  @Test("parses a challenge")
  func challenge() throws {
    let message = try SCRAMMessages.ServerFirst(parsing: Array("r=abc=d,s=QUJD,i=4096".utf8))
    #expect(message.nonce == Array("abc=d".utf8))
    #expect(message.salt == Array("ABC".utf8))
    #expect(message.iterations == 4096)
  }

  @Test("allows unknown extensions at the end of a challenge")
  func extensions() throws {
    _ = try SCRAMMessages.ServerFirst(parsing: Array("r=a,s=QUJD,i=1,x=y,z=1,x=2".utf8))
  }

  static let malformed = [
    "", ",", "r", "r=", "r=a", "r=a,", "r=a,s=QUJD", "r=a,s=QUJD,", "r=a,i=1", "s=QUJD,i=1",
    "s=QUJD,r=a,i=1", "r=a,i=1,s=QUJD", "r=a,r=a,s=QUJD,i=1", "r=a,s=QUJD,s=QUJD,i=1",
    "r=a,s=QUJD,i=1,i=1", "r=a,s=QUJD,i=1,r=b", "r=a,s=QUJD,i=1,m=x", "m=x,r=a,s=QUJD,i=1",
    "r=a,s=,i=1", "r=a,s=QUJ,i=1", "r=a,s=QU!D,i=1", "r=a,s=QUJD=,i=1", "r=a,s=QQ=Q,i=1",
    "r=a,s=QR==,i=1", "r=a,s=QUJD,i=1,", "r=a,s=QUJD,i=1,,", "r=a,s=QUJD,i=1,x", "R=a,s=QUJD,i=1",
    "r=a,s=QUJD,i=1,x=", "r=a,s=QUJD,i=1,1=2", "r=a,s=QUJD,i=1\0", "r:a,s=QUJD,i=1", " r=a,s=QUJD",
    "v=QUJD", "e=other-error",
  ]

  @Test("rejects malformed challenges", arguments: malformed)
  func rejects(text: String) {
    #expect(throws: PGError.protocolViolation("")) {
      try SCRAMMessages.ServerFirst(parsing: Array(text.utf8))
    }
  }

  @Test("says that mandatory extensions are not known")
  func mandatory() {
    let error = #expect(throws: PGError.self) {
      try SCRAMMessages.ServerFirst(parsing: Array("m=x,r=a,s=QUJD,i=1".utf8))
    }
    #expect(error?.message.contains("extension") == true)
  }

  @Test(
    "accepts salts of any size within the message's limit",
    arguments: [
      (1, true), (16, true), (1024, true), (48_000, true), (65_536, false), (1 << 20, false),
    ])
  func salts(size: Int, isAccepted: Bool) {
    let salt = Base64.encode([UInt8](repeating: 7, count: size))
    let message = try? SCRAMMessages.ServerFirst(parsing: Array("r=a,s=\(salt),i=1".utf8))
    #expect((message?.salt.count == size) == isAccepted)
  }

  @Test("rejects what is not UTF-8")
  func notText() {
    #expect(throws: PGError.protocolViolation("")) {
      try SCRAMMessages.ServerFirst(parsing: Array("r=a,s=QUJD,i=1,x=".utf8) + [0xff])
    }
  }

  @Test("parses a verifier and an error")
  func final() throws {
    guard case .verifier(let bytes) = try SCRAMMessages.ServerFinal(parsing: Array("v=QUJD".utf8))
    else {
      Issue.record("no verifier")
      return
    }
    #expect(bytes == Array("ABC".utf8))
    guard case .error(let reason) = try SCRAMMessages.ServerFinal(parsing: Array("e=oops".utf8))
    else {
      Issue.record("no error")
      return
    }
    #expect(reason == "oops")
  }

  @Test("keeps unreadable reasons off the terminal")
  func unreadable() throws {
    let message = try SCRAMMessages.ServerFinal(parsing: Array("e=\u{1b}[2J".utf8))
    guard case .error(let reason) = message else {
      Issue.record("no error")
      return
    }
    #expect(reason == "(unreadable reason)")
  }

  @Test(
    "rejects malformed last messages",
    arguments: [
      "", "v", "v=", "v=QUJ", "v=QUJD,", "v=QUJD,x=y", "v=QUJD,v=QUJD", "v=QUJD\n", "v=QUJD\0",
      "x=y", "e=", "e=a,v=QUJD", "m=x,v=QUJD", "V=QUJD", "v=QU JD",
    ])
  func rejectsFinal(text: String) {
    #expect(throws: PGError.protocolViolation("")) {
      try SCRAMMessages.ServerFinal(parsing: Array(text.utf8))
    }
  }

  @Test("survives arbitrary bytes")
  func arbitrary() {
    var generator = SystemRandomNumberGenerator()
    let alphabet = Array("rsimvexn=,,,===AQ0129+/\0\u{e9}".utf8)
    for _ in 0..<5000 {
      let bytes = (0..<Int.random(in: 0...40, using: &generator)).compactMap { _ in
        alphabet.randomElement(using: &generator)
      }
      _ = try? SCRAMMessages.ServerFirst(parsing: bytes)
      _ = try? SCRAMMessages.ServerFinal(parsing: bytes)
    }
  }
}
