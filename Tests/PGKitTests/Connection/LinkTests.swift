import PGErrorCodes
import Testing

@testable import PGKit

@Suite("Link", .timeLimit(.minutes(2))) struct LinkTests {
  private static let one: [String] = [
    "ParseComplete", "BindComplete", "RowDescription 1 \"a\" 0 0 25 65535 -1 0",
  ]
  private static let end = ["CommandComplete \"SELECT 1\"", "ReadyForQuery I"]

  private func connect(
    _ acts: ScriptedServer.Act...
  ) throws -> (ScriptedServer, Connection) {
    let server = try ScriptedServer([.packet, .welcome()] + acts)
    return (server, try Connector(server.options()).connect())
  }

  private func run(
    _ connection: Connection, until deadline: Deadline = .after(.seconds(10))
  ) throws(PGError) {
    var exchange = Execution(sql: "SELECT 1", parameters: BoundParameters(), resultFormats: [])
    try connection.perform(&exchange, until: deadline)
  }

  @Test("a connection that ends in the middle of a row is lost and closed")
  func middleOfRow() throws {
    let row = try BackendEncoder.encode("DataRow 1 5 'abcde'")
    for count in 0..<row.count {
      let (server, connection) = try connect(
        .until("S"), .say(Self.one), .send(Array(row.prefix(count))))
      defer { server.stop() }
      let error = try #require(throws: PGError.self) { try run(connection) }
      #expect(error.code == .connectionFailure)
      #expect(error.fault == .transport)
      #expect(connection.isClosed)
      #expect(throws: PGError.self) { try run(connection) }
    }
  }

  @Test("what the server said last wins over the news that it is gone")
  func lastWord() throws {
    let (server, connection) = try connect(.until("S"), .refuse("57P01", "shut down"))
    defer { server.stop() }
    let error = try #require(throws: PGError.self) { try run(connection) }
    #expect(error.code == .adminShutdown)
    #expect(connection.isClosed)
  }

  @Test("a message that cannot be closes the connection")
  func violation() throws {
    let (server, connection) = try connect(.until("S"), .say(["CopyDone"]), .drain)
    defer { server.stop() }
    let error = try #require(throws: PGError.self) { try run(connection) }
    #expect(error.code == .protocolViolation)
    #expect(connection.isClosed)
    // Nothing more is said to such a server.
    #expect(try server.received()[0].last == 4)
  }

  @Test("an error of the server leaves the connection usable")
  func serverError() throws {
    let (server, connection) = try connect(
      .until("S"),
      .say(["ErrorResponse S \"ERROR\" C \"42601\" M \"m\" \\x00", "ReadyForQuery I"]),
      .until("S"), .say(Self.one + Self.end), .drain)
    defer { server.stop() }
    let error = try #require(throws: PGError.self) { try run(connection) }
    #expect(error.code == .syntaxError)
    #expect(!connection.isClosed)
    try run(connection)
    connection.close()
  }

  @Test("a deadline ends the wait, and the connection: its next answer would be the wrong one")
  func deadline() throws {
    let (server, connection) = try connect(.until("S"), .say(Self.one), .drain)
    defer { server.stop() }
    let start = ContinuousClock.now
    let error = try #require(throws: PGError.self) {
      try run(connection, until: .after(.milliseconds(200)))
    }
    #expect(error.isTimeout)
    #expect((.milliseconds(190)..<(.seconds(5))).contains(start.duration(to: .now)))
    #expect(connection.isClosed)
  }

  @Test("notices are heard while the statement still runs")
  func notices() throws {
    let (server, connection) = try connect(
      .until("S"), .say(Self.one + ["NoticeResponse S \"NOTICE\" M \"half way\" \\x00"]),
      .until("X"))
    defer { server.stop() }
    var heard: [String] = []
    connection.messageHook = { [weak connection] notice in
      heard.append(notice.message)
      connection?.close()
      return true
    }
    #expect(throws: PGError.self) { try run(connection) }
    #expect(heard == ["half way"])
  }

  @Test("the trace tells of both ends")
  func trace() throws {
    let (server, connection) = try connect(.until("S"), .say(Self.one + Self.end), .drain)
    defer { server.stop() }
    var lines: [String] = []
    connection.traceHandler = { lines.append($0) }
    try run(connection)
    connection.traceHandler = nil
    connection.close()
    #expect(
      lines.map { $0.split(separator: "\t").prefix(3).joined(separator: " ") } == [
        "F 16 Parse", "F 12 Bind", "F 6 Describe", "F 9 Execute", "F 4 Sync", "B 4 ParseComplete",
        "B 4 BindComplete", "B 26 RowDescription", "B 13 CommandComplete", "B 5 ReadyForQuery",
      ])
  }

  @Test("an answer that came while the request was still being sent is not waited for again")
  func answerWhileSending() throws {
    let (server, connection) = try connect(
      .until("Q"), .say(["CopyInResponse \\x00 1 0"]), .pause(milliseconds: 300),
      .say(["ErrorResponse S \"ERROR\" C \"57014\" M \"m\" \\x00", "ReadyForQuery I"]),
      .pause(milliseconds: 300), .drain)
    defer { server.stop() }
    let stream = try connection.copyIn("COPY a FROM STDIN")
    try stream.fail(String(repeating: "x", count: 16 << 20))
    #expect(!connection.isClosed && connection.running == nil)
    connection.close()
  }

  /// Brings a copy to its end as one does who has others to look after.
  private func end(_ stream: CopyInStream) throws(PGError) {
    while try !stream.endWithoutWaiting() {
      let condition: DescriptorWatch.Condition = stream.queuedBytes > 0 ? .writable : .readable
      let answers = try Syscalls.wait(
        forAny: [.init(stream.descriptor, .readable), .init(stream.descriptor, condition)],
        until: .after(.seconds(20)))
      if !answers.contains(true) { throw .protocolViolation("nothing comes any more") }
    }
  }

  @Test(
    "a refusal that came while data was being sent is heard when the data ends, however much waits",
    arguments: [1, 100_000, 8 << 20])
  func refusalBeforeEnd(size: Int) throws {
    let (server, connection) = try connect(
      .until("Q"), .say(["CopyInResponse \\x00 1 0"]), .pause(milliseconds: 200),
      .say(["ErrorResponse S \"ERROR\" C \"23505\" M \"m\" \\x00", "ReadyForQuery I"]),
      .pause(milliseconds: 200), .drain)
    defer { server.stop() }
    let stream = try connection.copyIn("COPY a FROM STDIN")
    try stream.enqueue(CopyInQueue.messages(of: [UInt8](repeating: 0x61, count: size)))
    let error = try #require(throws: PGError.self) { try end(stream) }
    #expect(error.code == .uniqueViolation)
    #expect(!connection.isClosed && connection.running == nil)
    connection.close()
  }

  @Test("the word of a server that has ended a copy is kept until it is asked for")
  func answerKept() throws {
    let (server, connection) = try connect(
      .until("Q"), .say(["CopyInResponse \\x00 1 0"]), .until("c"),
      .say(["CommandComplete \"COPY 1\"", "ReadyForQuery I"]), .until("S"),
      .say(Self.one + Self.end), .drain)
    defer { server.stop() }
    let stream = try connection.copyIn("COPY a FROM STDIN")
    try stream.enqueue(CopyInQueue.messages(of: [UInt8](repeating: 0x61, count: 4 << 20)))
    try end(stream)
    #expect(try stream.endWithoutWaiting())
    try run(connection)
    #expect(try stream.finish().rowCount == 1)
    #expect(throws: PGError.self) { try stream.finish() }
    connection.close()
  }

  @Test("a copy whose end could not be sent yet can still be given up")
  func givenUpAtEnd() throws {
    let (server, connection) = try connect(
      .until("Q"), .say(["CopyInResponse \\x00 1 0"]), .pause(milliseconds: 300), .until("f"),
      .say(["ErrorResponse S \"ERROR\" C \"57014\" M \"m\" \\x00", "ReadyForQuery I"]), .drain)
    defer { server.stop() }
    let stream = try connection.copyIn("COPY a FROM STDIN")
    try stream.enqueue(CopyInQueue.messages(of: [UInt8](repeating: 0x61, count: 16 << 20)))
    #expect(try !stream.endWithoutWaiting())
    try stream.fail("not these")
    #expect(!connection.isClosed && connection.running == nil)
    connection.close()
  }

  @Test("two full pipes do not wait for each other")
  func fullPipes() throws {
    let text = String(repeating: "x", count: 1 << 16)
    let notice = "NoticeResponse S \"NOTICE\" M \"\(text)\" \\x00"
    // The server speaks before it listens, and so does the client.
    let (server, connection) = try connect(
      .say(Array(repeating: notice, count: 200)), .until("S"), .say(Self.one + Self.end), .drain)
    defer { server.stop() }
    var parameters = BoundParameters()
    let large = [UInt8](repeating: 0x61, count: 12 << 20)
    parameters.append(format: 0) { $0.writeBytes(large) }
    var exchange = Execution(sql: "SELECT $1", parameters: parameters, resultFormats: [])
    try connection.perform(&exchange, until: .after(.seconds(20)))
    connection.close()
  }
}
