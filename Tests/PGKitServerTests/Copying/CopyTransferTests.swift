import Foundation
import PGKit
import PGTestCluster
import Testing

@Suite("copy transfer", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct CopyTransferTests {
  private let source: Connection
  private let targets: [Connection]

  init() throws {
    source = try TestServer.shared.connect()
    try source.execute(
      """
      CREATE TEMP TABLE pair(a int, b text);
      INSERT INTO pair SELECT i, repeat('x', i % 50) FROM generate_series(1, 5000) AS i
      """)
    targets = try (0..<3).map { _ in
      let target = try TestServer.shared.connect()
      try target.execute("CREATE TEMP TABLE pair(a int PRIMARY KEY, b text)")
      return target
    }
  }

  private func producer() throws(PGError) -> StatementProducer {
    try StatementProducer(source, "COPY pair TO STDOUT")
  }

  private func receivers() throws(PGError) -> [any CopyReceiver] {
    var receivers: [any CopyReceiver] = []
    for target in targets {
      receivers.append(try StatementReceiver(target, "COPY pair FROM STDIN"))
    }
    return receivers
  }

  private func summary(_ connection: Connection) throws -> String {
    let rows = try connection.query(
      "SELECT count(*) || '/' || coalesce(sum(a * length(b)), 0) FROM pair")
    return try rows[0][0, as: String.self]
  }

  private func rowCount(_ connection: Connection) throws -> Int {
    try connection.query("SELECT count(*) FROM pair")[0][0, as: Int.self]
  }

  @Test("gives every receiver every row, and all counts agree")
  func fanOut() throws {
    let transfer = CopyTransfer(from: try producer(), to: try receivers())
    try transfer.run()
    let expected = try summary(source)
    for (index, target) in targets.enumerated() {
      #expect(try summary(target) == expected)
      #expect(transfer.rowCount(ofReceiver: index) == 5000)
    }
    #expect(transfer.producedRowCount == 5000)
    #expect(transfer.total.messages == 5000)
  }

  /// How much the system lets wait in a connection's socket, by its own count.
  private func queueSize(_ connection: Connection) throws -> Int {
    var (size, length) = (Int32(0), socklen_t(MemoryLayout<Int32>.size))
    try #require(
      getsockopt(connection.fileDescriptor, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0)
    return Int(size)
  }

  @Test("lets more be under way to each of several servers than to one alone")
  func roomForSeveral() throws {
    let limit = try String(contentsOfFile: "/proc/sys/net/core/wmem_max", encoding: .utf8)
    let most = try #require(Int(limit.filter(\.isNumber)))
    let usual = try queueSize(targets[0])
    let alone = try StatementReceiver(targets[0], "COPY pair FROM STDIN")
    try CopyTransfer(from: try producer(), to: [alone]).run()
    #expect(try queueSize(targets[0]) == usual)
    let several = try targets[1...].map {
      try StatementReceiver($0, "COPY pair FROM STDIN") as any CopyReceiver
    }
    try CopyTransfer(from: try producer(), to: several).run()
    for target in targets[1...] {
      // Linux doubles what it is asked for, for its own needs.
      #expect(try queueSize(target) == 2 * min(1 << 20, most))
    }
  }

  @Test("counts bytes without the headers of messages, and the steps add up to the total")
  func counts() throws {
    var text: [UInt8] = []
    let receiver = ClosureReceiver { piece in piece.forEach { text += $0 } }
    let transfer = CopyTransfer(from: try producer(), to: [receiver, NullReceiver()])
    var (messages, bytes) = (0, 0)
    while let step = try transfer.next() {
      messages += step.messages
      bytes += step.bytes
    }
    try transfer.finish()
    #expect(messages == 5000)
    #expect(bytes == text.count)
    #expect(transfer.total.bytes == bytes)
    #expect(text.count { $0 == UInt8(ascii: "\n") } == 5000)
  }

  @Test("takes a receiver that fails out, and goes on with the others")
  func dropsReceiver() throws {
    try targets[1].execute("INSERT INTO pair VALUES (4000, 'in the way')")
    let transfer = CopyTransfer(from: try producer(), to: try receivers())
    var faults: [CopyFault.Receiver] = []
    func noting(_ body: () throws -> Bool) throws -> Bool {
      do { return try body() } catch CopyFault.receivers(let failed) {
        faults += failed
        return true
      }
    }
    while try noting({ try transfer.next() != nil }) {}
    _ = try noting {
      try transfer.finish()
      return true
    }
    #expect(faults.map(\.index) == [1])
    #expect(faults.first?.error.code == .uniqueViolation)
    #expect(transfer.remaining == [0, 2])
    try transfer.compareCounts()
    #expect(try rowCount(targets[0]) == 5000)
    #expect(try rowCount(targets[1]) == 1)
    #expect(try rowCount(targets[2]) == 5000)
  }

  @Test("running with a receiver that fails ends everything, and all connections go on")
  func runFails() throws {
    for target in targets { try target.execute("BEGIN") }
    let broken = ClosureReceiver { _ throws(PGError) in
      throw PGError(code: .operatorIntervention, message: "no more room", fault: .caller)
    }
    let transfer = CopyTransfer(from: try producer(), to: try receivers() + [broken])
    let fault = #expect(throws: CopyFault.self) { try transfer.run() }
    #expect(fault?.description == "receiver 4 failed: ERROR 57000: no more room")
    for target in targets {
      #expect(target.transactionStatus == .failed)
      try target.execute("ROLLBACK")
      #expect(try rowCount(target) == 0)
    }
    #expect(try rowCount(source) == 5000)
  }

  @Test("giving up cancels an endless source within a moment, and its connection goes on")
  func givesUp() throws {
    let endless = try StatementProducer(
      source, "COPY (SELECT generate_series(1, 1000000000), 'x') TO STDOUT")
    let transfer = CopyTransfer(from: endless, to: try receivers())
    for _ in 0..<10 { _ = try transfer.next() }
    let start = ContinuousClock.now
    transfer.fail("enough")
    #expect(ContinuousClock.now - start < .seconds(10))
    #expect(try rowCount(source) == 5000)
    for target in targets { #expect(try rowCount(target) == 0) }
  }

  @Test("a source that is terminated is the producer's fault, and stores nothing")
  func sourceDies() throws {
    let endless = try StatementProducer(
      source, "COPY (SELECT generate_series(1, 1000000000), 'x') TO STDOUT")
    let transfer = CopyTransfer(from: endless, to: try receivers())
    _ = try transfer.next()
    let killer = try TestServer.shared.connect()
    try killer.execute("SELECT pg_terminate_backend(\(source.backendID))")
    let fault = #expect(throws: CopyFault.self) { try transfer.run() }
    guard case .producer(let error) = fault else {
      Issue.record("\(String(describing: fault))")
      return
    }
    // A server that is killed while it waits for the client to take data cannot say so.
    #expect([.adminShutdown, .connectionFailure].contains(error.code))
    for target in targets { #expect(try rowCount(target) == 0) }
  }

  @Test("a receiver that is terminated fails with the server's last word")
  func receiverDies() throws {
    let endless = try StatementProducer(
      source, "COPY (SELECT generate_series(1, 1000000000), 'x') TO STDOUT")
    let transfer = CopyTransfer(from: endless, to: [try receivers()[0]])
    _ = try transfer.next()
    let killer = try TestServer.shared.connect()
    try killer.execute("SELECT pg_terminate_backend(\(targets[0].backendID))")
    let fault = #expect(throws: CopyFault.self) { while try transfer.next() != nil {} }
    guard case .receivers(let faults) = fault else {
      Issue.record("\(String(describing: fault))")
      return
    }
    #expect(faults.first?.error.code == .adminShutdown)
    #expect(throws: CopyFault.self) { try transfer.finish() }
    transfer.fail("over")
    #expect(try rowCount(source) == 5000)
  }

  @Test("finds out when a receiver stores fewer rows than the source gave")
  func comparesCounts() throws {
    try targets[0].execute(
      """
      CREATE FUNCTION pg_temp.skip() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RETURN CASE WHEN NEW.a % 1000 = 0 THEN NULL ELSE NEW END; END$$;
      CREATE TRIGGER skip BEFORE INSERT ON pair FOR EACH ROW EXECUTE FUNCTION pg_temp.skip()
      """)
    let transfer = CopyTransfer(from: try producer(), to: try receivers())
    let fault = #expect(throws: CopyFault.self) { try transfer.run() }
    #expect(
      fault?.description == "the counts of rows differ: source 5000, receiver 1 4995, "
        + "receiver 2 5000, receiver 3 5000")
  }

  @Test("takes pieces that end in the middle of rows")
  func pieces() throws {
    let text = Array((1...300).map { "\($0)\tvalue \($0)\n" }.joined().utf8)
    let pieces = stride(from: 0, to: text.count, by: 7).map {
      Array(text[$0..<min($0 + 7, text.count)])
    }
    let transfer = CopyTransfer(from: ClosureProducer(pieces), to: try receivers())
    try transfer.run()
    #expect(try rowCount(targets[2]) == 300)
    #expect(transfer.producedRowCount == nil)
  }

  @Test("no data is no rows; finishing too early and without receivers are faults")
  func edges() throws {
    let empty = CopyTransfer(from: NullProducer(), to: [try receivers()[0]])
    try empty.run()
    #expect(empty.rowCount(ofReceiver: 0) == 0)
    let early = CopyTransfer(from: ClosureProducer([[1]]), to: [NullReceiver()])
    #expect(throws: CopyFault.self) { try early.finish() }
    let lonely = CopyTransfer(from: ClosureProducer([[1]]), to: [])
    #expect(try lonely.next() == nil)
    #expect(throws: CopyFault.self) { try lonely.finish() }
  }

  @Test(
    "rows are joined for one transfer and not for what the connection copies next",
    arguments: [0, 3])
  func joinsNoLonger(count: Int) throws {
    let rows = "COPY (SELECT i FROM generate_series(1, \(count)) i) TO STDOUT"
    try CopyTransfer(from: try StatementProducer(source, rows), to: [NullReceiver()]).run()
    var messages: [[UInt8]] = []
    let stream = try source.copyOut("COPY (SELECT i FROM generate_series(1, 3) i) TO STDOUT")
    while let chunk = try stream.next() { chunk.forEach { messages.append(Array($0)) } }
    #expect(messages == [Array("1\n".utf8), Array("2\n".utf8), Array("3\n".utf8)])
  }

  @Test("carries the header and the end of the binary format")
  func binary() throws {
    let receiver = try StatementReceiver(targets[0], "COPY pair FROM STDIN (FORMAT binary)")
    let transfer = CopyTransfer(
      from: try StatementProducer(source, "COPY pair TO STDOUT (FORMAT binary)"), to: [receiver])
    try transfer.run()
    #expect(try summary(targets[0]) == (try summary(source)))
    #expect(transfer.total.messages > 5000)
  }

  @Test("passes on a notice in the middle of a copy")
  func notices() throws {
    try targets[0].execute(
      """
      CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW.a = 17 THEN RAISE NOTICE 'seventeen'; END IF; RETURN NEW; END$$;
      CREATE TRIGGER tell BEFORE INSERT ON pair FOR EACH ROW EXECUTE FUNCTION pg_temp.tell()
      """)
    var heard: [String] = []
    targets[0].messageHook = {
      heard.append($0.message)
      return true
    }
    try CopyTransfer(from: try producer(), to: [try receivers()[0]]).run()
    #expect(heard == ["seventeen"])
  }

  @Test("refuses a second COPY … FROM STDIN in one text instead of waiting for ever")
  func twoCopies() throws {
    let sink = try targets[0].copyIn("COPY pair FROM STDIN; COPY pair FROM STDIN")
    try sink.write(Array("1\tone\n".utf8))
    #expect(throws: PGError.self) { try sink.finish() }
    #expect(try rowCount(targets[0]) == 0)
  }

  @Test("goes on with rows that were kept while their connection was used for something else")
  func keptRows() throws {
    // The end of one transfer leaves nothing to read behind; the next one's rows are there all the same.
    try CopyTransfer(from: try producer(), to: [NullReceiver()]).run()
    let kept = try producer()
    #expect(try rowCount(source) == 5000)
    let transfer = CopyTransfer(from: kept, to: [try receivers()[0]])
    try transfer.run()
    #expect(try summary(targets[0]) == (try summary(source)))
    #expect(transfer.producedRowCount == 5000)
  }

  /// Gathers what it is given, and tells of it, for nobody to wait for.
  private final class GatheringReceiver: CopyReceiver {
    private(set) var whole = 0
    private(set) var queuedBytes = 0

    func write(_ piece: CopyPiece) throws(PGError) {
      queuedBytes += piece.byteCount
      if queuedBytes > 16_384 { passOn() }
    }

    func end() throws(PGError) { passOn() }
    func finish() throws(PGError) -> Int? { nil }
    func fail(_ reason: String) {}

    private func passOn() {
      whole += queuedBytes
      queuedBytes = 0
    }
  }

  @Test("does not wait for a receiver of one's own that gathers, on the way or at the end")
  func gatheringReceiver() throws {
    let data = (0..<1000).map { Array("\($0)\tx\n".utf8) }
    let receiver = GatheringReceiver()
    let transfer = CopyTransfer(from: ClosureProducer(data), to: [receiver])
    while try transfer.next() != nil {}
    #expect(transfer.total.bytes == data.joined().count)
    #expect(receiver.whole + receiver.queuedBytes == transfer.total.bytes)
    try transfer.finish()
    #expect(receiver.whole == transfer.total.bytes && receiver.queuedBytes == 0)
  }
}
