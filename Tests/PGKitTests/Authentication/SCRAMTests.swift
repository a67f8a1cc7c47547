import PGErrorCodes
import Testing

@testable import PGKit

@Suite struct SCRAMTests {
  private static let nonce = "rOprNGfwEbeRWgbNEkqO"
  private static let challenge =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"

  private func makeSCRAM(
    _ binding: ChannelBinding = .unsupported, limit: Int = 1_000_000
  ) -> SCRAM {
    SCRAM(
      password: Array("pencil".utf8), binding: binding, nonce: Self.nonce, iterationLimit: limit)
  }

  // RFC 7677 section 3, with the user's name empty as PostgreSQL has it. The proof and the signature
  // were computed with Python's hashlib and hmac.
  @Test("answers RFC 7677's challenge and accepts the right signature only")
  func example() throws {
    var scram = makeSCRAM()
    #expect(scram.first.mechanism == "SCRAM-SHA-256")
    #expect(scram.first.response == Array("n,,n=,r=rOprNGfwEbeRWgbNEkqO".utf8))
    let answer = try scram.answer(Array(Self.challenge.utf8)) { false }
    let text = String(decoding: answer.response, as: UTF8.self)
    let withoutProof = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    #expect(
      text == withoutProof + ",p=qvT2SWdEH5Q06albL+hjSYuUhCG7VndFyzIb7CK4n9k=")
    try scram.verify(Array("v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg=".utf8))
    #expect(throws: PGError.wrongSignature) {
      try scram.verify(Array("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=".utf8))
    }
    #expect(throws: PGError.wrongSignature) { try scram.verify(Array("v=AAAA".utf8)) }
  }

  @Test("verifies nothing before it has made a proof")
  func verifyTooEarly() {
    #expect(throws: PGError.wrongSignature) { try makeSCRAM().verify(Array("v=AAAA".utf8)) }
    #expect(throws: PGError.self) { try makeSCRAM().verify(Array("v=".utf8)) }
  }

  static let nonces: [(String, Bool)] = [
    ("\(nonce)x", true), ("\(nonce)~!", true),
    (nonce, false), ("", false), ("x\(nonce)", false), ("rOprNGfwEbeRWgbNEkqXyz", false),
    ("\(nonce),x", false), ("\(nonce)\u{e9}", false), ("\(nonce) ", false),
    ("\(nonce)\u{7f}", false), ("\(nonce)\0", false), ("ROPRNGFWEBERWGBNEKQOX", false),
  ]

  @Test("accepts only nonces that continue its own", arguments: nonces)
  func judgesNonce(nonce: String, isGood: Bool) {
    var scram = makeSCRAM()
    do {
      _ = try scram.answer(Array("r=\(nonce),s=QUJD,i=1".utf8)) { false }
      #expect(isGood)
    } catch {
      #expect(!isGood)
      #expect(error.code == .protocolViolation)
    }
  }

  static let counts: [(String, SQLState?)] = [
    ("1", nil), ("4096", nil), ("5000", nil),
    ("5001", .insecurityError), ("2147483648", .insecurityError),
    ("99999999999999999999", .insecurityError),
    ("0", .protocolViolation), ("-1", .protocolViolation), ("+1", .protocolViolation),
    ("01", .protocolViolation), ("", .protocolViolation), ("1 ", .protocolViolation),
    ("0x10", .protocolViolation), ("\u{661}", .protocolViolation),
  ]

  @Test("judges the iteration count before it computes anything", arguments: counts)
  func iterations(count: String, code: SQLState?) {
    var scram = makeSCRAM(limit: 5000)
    var wasAsked = false
    let message = Array("r=\(Self.nonce)x,s=QUJD,i=\(count)".utf8)
    do {
      _ = try scram.answer(message) {
        wasAsked = true
        return false
      }
      #expect(code == nil)
    } catch {
      #expect(error.code == code)
      #expect(!wasAsked)
    }
  }

  @Test("accepts the limit itself and counts up to the default limit")
  func defaultLimit() throws {
    var scram = makeSCRAM(limit: AuthenticationPolicy.defaultIterationLimit)
    _ = try scram.answer(Array("r=\(Self.nonce)x,s=QUJD,i=100000".utf8)) { false }
    #expect(throws: PGError.tooManyIterations(limit: 1)) {
      try scram.answer(Array("r=\(Self.nonce)x,s=QUJD,i=1000001".utf8)) { false }
    }
  }

  @Test("stops computing when time has run out")
  func deadline() {
    var scram = makeSCRAM(limit: .max)
    let error = #expect(throws: PGError.self) {
      try scram.answer(Array("r=\(Self.nonce)x,s=QUJD,i=2147483647".utf8)) { true }
    }
    #expect(error?.code == .connectTimeoutError)
    #expect(error?.isTimeout == true)
  }

  @Test("reports the server's error")
  func serverError() {
    let error = #expect(throws: PGError.self) {
      try makeSCRAM().verify(Array("e=invalid-proof".utf8))
    }
    #expect(error?.code == .invalidPassword)
    #expect(error?.message.contains("invalid-proof") == true)
  }

  @Test("binds to the digest of the server's certificate")
  func bound() throws {
    var scram = makeSCRAM(.serverEndPoint([1, 2, 3]))
    #expect(scram.first.mechanism == "SCRAM-SHA-256-PLUS")
    #expect(
      scram.first.response == Array("p=tls-server-end-point,,n=,r=rOprNGfwEbeRWgbNEkqO".utf8))
    let answer = try scram.answer(Array(Self.challenge.utf8)) { false }
    let input = Base64.encode(Array("p=tls-server-end-point,,".utf8) + [1, 2, 3])
    #expect(String(decoding: answer.response, as: UTF8.self).hasPrefix("c=\(input),r="))
  }

  @Test("prepares the password")
  func prepared() throws {
    let server = ScriptedSCRAMServer(password: "IX")
    var scram = SCRAM(
      password: Array("I\u{ad}X".utf8), binding: .unsupported, nonce: "n", iterationLimit: 10)
    let first = server.first(to: scram.first)
    let answer = try scram.answer(first) { false }
    #expect(try server.final(to: scram.first, first, answer).isProofGood)
  }

  @Test("makes a new nonce each time, fit for a message")
  func freshNonces() throws {
    let nonces = try (0..<50).map { _ in try SCRAM.makeNonce() }
    #expect(Set(nonces).count == 50)
    #expect(nonces.allSatisfy { $0.utf8.count == 24 && !$0.contains(",") })
  }

  @Test("shows its password to nobody")
  func redacted() {
    let scram = makeSCRAM()
    var dumped = ""
    dump(scram, to: &dumped)
    for text in ["\(scram)", String(reflecting: scram), dumped] {
      #expect(!text.contains("112") && !text.contains("pencil"), "\(text)")
    }
  }
}
