import PGTestCluster
import Testing

@testable import PGKit

@Suite("Trace") struct TraceTests {
  private func lines(
    _ pieces: [(Trace.Sender, [UInt8])], fromStartup: Bool = false, showsSecrets: Bool = false
  ) -> [String] {
    var trace = Trace(fromStartup: fromStartup, showsSecrets: showsSecrets)
    return pieces.flatMap { sender, bytes in
      bytes.withUnsafeBytes { trace.lines($0, from: sender) }
    }
  }

  /// A pipeline as libpq's own tests have it.
  @Test("writes what libpq writes")
  func asLibpq() throws {
    var parameters = BoundParameters()
    parameters.append(format: 0) { $0.writeText("1") }
    var outbox = ByteWriter()
    Parse(name: "", sql: "SELECT $1", parameterTypes: [23]).encode(into: &outbox)
    Bind(portal: "", statement: "", parameters: parameters, resultFormats: [0]).encode(
      into: &outbox)
    Describe(object: .portal("")).encode(into: &outbox)
    Execute(portal: "").encode(into: &outbox)
    BodilessMessage.sync.encode(into: &outbox)
    let backend: [UInt8] = [
      0x31, 0, 0, 0, 4,
      0x54, 0, 0, 0, 33, 0, 1, 0x3F, 0x63, 0x6F, 0x6C, 0x75, 0x6D, 0x6E, 0x3F, 0, 0, 0, 0, 0, 0, 0,
      0, 0, 0, 23, 0, 4, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0,
      0x44, 0, 0, 0, 11, 0, 1, 0, 0, 0, 1, 0x31,
      0x43, 0, 0, 0, 13, 0x53, 0x45, 0x4C, 0x45, 0x43, 0x54, 0x20, 0x31, 0,
      0x5A, 0, 0, 0, 5, 0x49,
    ]
    #expect(
      lines([(.frontend, outbox.bytes), (.backend, backend)]) == [
        "F\t21\tParse\t \"\" \"SELECT $1\" 1 23",
        "F\t21\tBind\t \"\" \"\" 1 0 1 1 '1' 1 0",
        "F\t6\tDescribe\t P \"\"",
        "F\t9\tExecute\t \"\" 0",
        "F\t4\tSync",
        "B\t4\tParseComplete",
        "B\t33\tRowDescription\t 1 \"?column?\" 0 0 23 4 -1 0",
        "B\t11\tDataRow\t 1 1 '1'",
        "B\t13\tCommandComplete\t \"SELECT 1\"",
        "B\t5\tReadyForQuery\t I",
      ])
  }

  @Test("hides passwords, proofs and keys")
  func hides() throws {
    var first = ByteWriter()
    StartupMessage(version: .v3_0, parameters: [("user", "a")]).encode(into: &first)
    var password = ByteWriter()
    PasswordMessage(password: Array("secret".utf8)).encode(into: &password)
    var initial = ByteWriter()
    SASLInitialResponse(mechanism: "SCRAM-SHA-256", response: Array("secret".utf8))
      .encode(into: &initial)
    var response = ByteWriter()
    SASLResponse(response: Array("secret".utf8)).encode(into: &response)
    var cancel = ByteWriter()
    CancelRequest(key: BackendKeyData(processID: 7, secret: Array("secret".utf8)))
      .encode(into: &cancel)
    let conversation: [(Trace.Sender, [UInt8])] = [
      (.frontend, first.bytes),
      (.backend, try BackendEncoder.encode("AuthenticationCleartextPassword")),
      (.frontend, password.bytes),
      (.backend, try BackendEncoder.encode("AuthenticationSASL \"SCRAM-SHA-256\"")),
      (.frontend, initial.bytes),
      (.backend, try BackendEncoder.encode("AuthenticationSASLContinue 'secret'")),
      (.frontend, response.bytes),
      (.backend, try BackendEncoder.encode("AuthenticationSASLFinal 'secret'")),
      (.backend, try BackendEncoder.encode("BackendKeyData 7 'secret'")),
    ]
    let text = lines(conversation, fromStartup: true).joined(separator: "\n")
    #expect(!text.contains("secret"))
    #expect(text.contains("F\t11\tPasswordMessage\t 'BBBB'"))
    #expect(text.contains("SASLInitialResponse\t \"SCRAM-SHA-256\" 'BBBB'"))
    #expect(text.contains("B\t14\tBackendKeyData\t 7 'BBBB'"))
    let shown = lines(conversation, fromStartup: true, showsSecrets: true)
    #expect(shown.count { $0.contains("secret") } == 6)
    #expect(
      lines([(.frontend, cancel.bytes)], fromStartup: true) == [
        "F\t18\tCancelRequest\t 1234 5678 7 'BBBB'"
      ])
  }

  @Test("a server cannot write to the terminal through it")
  func escapes() throws {
    let bytes = try BackendEncoder.encode(#"NoticeResponse M "\x1b[2J grün \x07" \x00"#)
    #expect(
      lines([(.backend, bytes)]) == ["B\t19\tNoticeResponse\t M \"\\x1b[2J grün \\x07\" \\x00"])
    let data = try BackendEncoder.encode(#"CopyData '\x1b\xff\x0a'"#)
    #expect(lines([(.backend, data)]) == [#"B"# + "\t7\tCopyData\t '\\x1b\\xff\\x0a'"])
  }

  @Test("survives what is no message")
  func survives() {
    var random = SeededGenerator(seed: 7)
    for _ in 0..<5_000 {
      let tag = random.bytes(1)[0]
      let message = BackendEncoder.message(tag, random.bytes(random.number(below: 40)))
      let pieces = [Trace.Sender.backend, .frontend].map { ($0, message) }
      #expect(lines(pieces).count == 2)
    }
    let odd = lines([(.backend, [0x5A, 0, 0, 0, 7, 0x49, 1, 2]), (.backend, [0x21, 0, 0, 0, 4])])
    #expect(
      odd == ["B\t7\tReadyForQuery\t I\t(malformed: 2 bytes more)", "B\t4\tUnknown message: 21"])
    #expect(lines([(.backend, [0x5A, 0, 0, 0, 0])]) == ["B\t4\tReadyForQuery"])
  }
}
