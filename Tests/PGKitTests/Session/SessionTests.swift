import PGErrorCodes
import Testing

@testable import PGKit

/// What the transcripts do not show: what a session refuses to begin or to send.
@Suite("Session") struct SessionTests {
  private func idle() throws -> ScenePlayer {
    let player = try SessionScene("", "", [], [:]).play()
    player.session.outbox = ByteWriter()
    return player
  }

  private func begin<E: Exchange & ~Copyable>(
    _ exchange: consuming E, _ session: inout Session
  ) -> SQLState? {
    var exchange = exchange
    do throws(PGError) {
      try session.begin(&exchange)
      return nil
    } catch { return error.code }
  }

  @Test("a message that is too long is refused before any byte of it is sent")
  func tooLong() throws {
    let player = try idle()
    player.session.outbox = ByteWriter(lengthLimit: 1_000)
    let text = String(repeating: "x", count: 2_000)
    var parameters = BoundParameters()
    for _ in 0..<100 { parameters.append(format: 0) { $0.writeText("0123456789") } }
    var oversized = BoundParameters(lengthLimit: 1_000)
    oversized.append(format: 0) { $0.writeText(text) }
    let outcomes = [
      begin(SimpleQuery(text), &player.session),
      begin(Prepare(name: "s", sql: text), &player.session),
      begin(Prepare(describing: .statement(text)), &player.session),
      begin(CloseNamed([.statement(text)]), &player.session),
      // No value is too long, but all together are.
      begin(
        Execution(
          PreparedRun(of: "s", columnCount: 0, resultFormats: []), parameters: parameters),
        &player.session),
    ]
    #expect(outcomes == Array(repeating: .programLimitExceeded, count: 5))
    player.session.outbox = ByteWriter()
    let one = Execution(
      PreparedRun(of: "s", columnCount: 0, resultFormats: []), parameters: oversized)
    #expect(begin(one, &player.session) == .programLimitExceeded)
    #expect(player.session.outbox.isEmpty)
    #expect(!player.session.outbox.overflowed)
    #expect(player.session.status == "I")
    #expect(begin(SimpleQuery("SELECT 1"), &player.session) == nil)
  }

  @Test("a text with a zero byte is refused before any byte of it is sent")
  func zeroBytes() throws {
    let player = try idle()
    #expect(begin(SimpleQuery("a\0b"), &player.session) == .operationError)
    #expect(begin(Prepare(name: "", sql: "a\0b"), &player.session) == .operationError)
    let oneShot = Execution(sql: "\0", parameters: BoundParameters(), resultFormats: [])
    #expect(begin(oneShot, &player.session) == .operationError)
    #expect(player.session.outbox.isEmpty)
    var session = Session()
    let startup = try Startup(words: ["3.0", "user=a\0database", "password=x"])
    #expect(begin(startup, &session) == .operationError)
    #expect(session.outbox.isEmpty)
  }

  @Test("one exchange at a time")
  func busy() throws {
    let player = try idle()
    #expect(begin(SimpleQuery("SELECT 1"), &player.session) == nil)
    let length = player.session.outbox.count
    #expect(begin(SimpleQuery("SELECT 2"), &player.session) == .operationError)
    #expect(player.session.outbox.count == length)
  }

  @Test("nothing is begun on a session that is closed or failed, which says why")
  func over() throws {
    let closed = try idle()
    closed.session.close()
    closed.session.close()
    #expect(closed.session.outbox.bytes == [0x58, 0, 0, 0, 4])
    #expect(begin(SimpleQuery(""), &closed.session) == .connectionDoesNotExist)
    let busy = try idle()
    #expect(begin(SimpleQuery("DROP TABLE t"), &busy.session) == nil)
    busy.session.close()
    #expect(busy.session.outbox.isEmpty)
    let failed = try idle()
    failed.session.fail(.protocolViolation("first"))
    failed.session.fail(.connectionFailure("second"))
    failed.session.close()
    #expect(begin(SimpleQuery(""), &failed.session) == .protocolViolation)
    #expect(failed.session.outbox.isEmpty)
  }
}
