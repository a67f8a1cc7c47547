import Foundation
import PGKit
import PGTestCluster
import Testing

/// The scenarios of py-postgresql's `test_copyman`, by their names there.
@Suite(
  "copyman's scenarios", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct CopyManScenarioTests {
  private let source: Connection
  private let targets: [Connection]
  private static let rowCount = 10_000

  init() throws {
    source = try TestServer.shared.connect()
    targets = try (0..<3).map { _ in try TestServer.shared.connect() }
    try source.execute(
      """
      CREATE TEMP TABLE sample AS
        SELECT i, i * 2 AS j FROM generate_series(1, \(Self.rowCount)) AS i
      """)
    for target in targets { try target.execute("CREATE TEMP TABLE sample(i int, j int)") }
  }

  private func producer(_ sql: String = "COPY sample TO STDOUT") throws(PGError)
    -> StatementProducer
  {
    try StatementProducer(source, sql)
  }

  private func receiver(
    _ target: Connection, _ sql: String = "COPY sample FROM STDIN"
  ) throws(PGError) -> StatementReceiver {
    try StatementReceiver(target, sql)
  }

  private func contents(_ connection: Connection) throws -> String {
    try connection.query(
      "SELECT count(*) || '/' || count(DISTINCT i) || '/' || coalesce(sum(i * j::bigint), 0) FROM sample"
    )[0][0, as: String.self]
  }

  private func count(_ connection: Connection) throws -> Int {
    try connection.query("SELECT count(*) FROM sample")[0][0, as: Int.self]
  }

  private func moved(_ transfer: CopyTransfer) -> [Int] {
    [transfer.total.messages, transfer.total.bytes]
  }

  /// One step; if receivers failed, they are handed over, and nothing has moved.
  private func step(
    _ transfer: CopyTransfer, _ hear: ([CopyFault.Receiver]) throws -> Void
  ) throws -> Int? {
    let fault: CopyFault
    do throws(CopyFault) { return try transfer.next()?.messages } catch { fault = error }
    guard case .receivers(let failed) = fault else { throw fault }
    try hear(failed)
    return 0
  }

  /// Goes on after receivers failed, and gives their faults.
  private func exhaust(_ transfer: CopyTransfer) throws -> [CopyFault.Receiver] {
    var faults: [CopyFault.Receiver] = []
    while try step(transfer, { faults += $0 }) != nil {}
    return faults
  }

  @Test(
    "testDirectStatements, testMultiple: the same content in 1 and in 3 targets", arguments: [1, 3])
  func direct(number: Int) throws {
    let ends = try targets.prefix(number).map { try receiver($0) }
    let transfer = CopyTransfer(from: try producer(), to: ends)
    var messages = 0
    while let step = try transfer.next() { messages += step.messages }
    try transfer.finish()
    try transfer.compareCounts()
    #expect(messages == Self.rowCount)
    for target in targets.prefix(number) { #expect(try contents(target) == (try contents(source))) }
  }

  @Test("testBinary: one message more than rows")
  func binary() throws {
    let transfer = CopyTransfer(
      from: try producer("COPY sample TO STDOUT WITH (FORMAT binary)"),
      to: [try receiver(targets[0], "COPY sample FROM STDIN WITH (FORMAT binary)")])
    try transfer.run()
    #expect(transfer.total.messages == Self.rowCount + 1)
    #expect(try contents(targets[0]) == (try contents(source)))
  }

  @Test("testNotices: what a trigger says reaches the receiver's hook during the loop")
  func notices() throws {
    var heard = 0
    targets[0].messageHook = { message in
      if message.message == "halfway" { heard += 1 }
      return true
    }
    try targets[0].execute(
      """
      CREATE FUNCTION pg_temp.say() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN IF NEW.i = 5000 THEN RAISE NOTICE 'halfway'; END IF; RETURN NEW; END$$;
      CREATE TRIGGER say BEFORE INSERT ON sample FOR EACH ROW EXECUTE FUNCTION pg_temp.say()
      """)
    let transfer = CopyTransfer(from: try producer(), to: [try receiver(targets[0])])
    try transfer.run()
    #expect(heard == 1)
    #expect(try count(targets[0]) == Self.rowCount)
  }

  @Test("testAsyncNotify: a notification in the middle of a copy is there after it")
  func notification() throws {
    let channel = "copyman_\(UInt64.random(in: 0...UInt64.max))"
    try source.listen(channel)
    try targets[0].listen(channel)
    let transfer = CopyTransfer(from: try producer(), to: [try receiver(targets[0])])
    _ = try transfer.next()
    try targets[1].execute("NOTIFY \(channel), 'in the middle'")
    try transfer.run()
    for connection in [source, targets[0]] {
      let list = try connection.notifications(until: .after(.seconds(10)))
      #expect(list.map(\.payload) == ["in the middle"])
    }
  }

  @Test("testUnfinishedCopy: left in the middle, it stores nothing, and both ends go on")
  func unfinished() throws {
    let transfer = CopyTransfer(from: try producer(), to: [try receiver(targets[0])])
    _ = try transfer.next()
    #expect { try transfer.finish() } throws: { error in
      if case CopyFault.incomplete = error { true } else { false }
    }
    transfer.fail("left")
    #expect(try count(source) == Self.rowCount)
    #expect(try count(targets[0]) == 0)
  }

  @Test("testRaiseInCopy: an error between two steps ends it the same way, for three receivers")
  func raise() throws {
    struct Mine: Error {}
    let transfer = CopyTransfer(from: try producer(), to: try targets.map { try receiver($0) })
    #expect(throws: Mine.self) {
      do {
        _ = try transfer.next()
        throw Mine()
      } catch {
        transfer.fail("\(error)")
        throw error
      }
    }
    #expect(try count(source) == Self.rowCount)
    for target in targets { #expect(try count(target) == 0) }
  }

  @Test("testRaiseOnEnter: a statement that copies the wrong way is refused before anything moves")
  func wrongWay() throws {
    #expect(throws: PGError.self) { try receiver(targets[0], "SELECT 1") }
    #expect(throws: PGError.self) { try producer("SELECT 1") }
    #expect(try count(source) == Self.rowCount)
    #expect(try count(targets[0]) == 0)
  }

  @Test("testCopyWithFailure: one closes on the way; the fault names it, the others complete")
  func failure() throws {
    let transfer = CopyTransfer(from: try producer(), to: try targets.map { try receiver($0) })
    _ = try transfer.next()
    targets[1].close()
    let faults = try exhaust(transfer)
    #expect(faults.map(\.index) == [1])
    try transfer.finish()
    try transfer.compareCounts()
    #expect(transfer.remaining == [0, 2])
    #expect(transfer.total.messages == Self.rowCount)
    for target in [targets[0], targets[2]] {
      #expect(try contents(target) == (try contents(source)))
    }
  }

  @Test("testDroppedConnection: one is terminated by its server; the same")
  func dropped() throws {
    let killer = try TestServer.shared.connect()
    try source.execute("INSERT INTO sample SELECT i, i FROM generate_series(1, 500000) AS i")
    let transfer = CopyTransfer(from: try producer(), to: try targets.map { try receiver($0) })
    _ = try transfer.next()
    try killer.execute("SELECT pg_terminate_backend(\(targets[2].backendID), 5000)")
    let faults = try exhaust(transfer)
    #expect(faults.map(\.index) == [2])
    #expect(faults.first?.error.code == .adminShutdown)
    try transfer.finish()
    try transfer.compareCounts()
    #expect(try count(targets[0]) == Self.rowCount + 500_000)
  }

  @Test(
    "a receiver that does not read fills its queue and no more, and giving up does not wait for it")
  func stuck() throws {
    let key = Int64.random(in: 1...Int64.max)
    let holder = try TestServer.shared.connect()
    try holder.execute("SELECT pg_advisory_lock(\(key))")
    try targets[0].execute(
      """
      CREATE FUNCTION pg_temp.wait() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN PERFORM pg_advisory_xact_lock(\(key)); RETURN NEW; END$$;
      CREATE TRIGGER wait BEFORE INSERT ON sample FOR EACH ROW EXECUTE FUNCTION pg_temp.wait()
      """)
    let endless = try producer("COPY (SELECT generate_series(1, 1000000000), 1) TO STDOUT")
    let transfer = CopyTransfer(
      from: endless, to: [try receiver(targets[0]), try receiver(targets[1])])
    let end = ContinuousClock.now + .seconds(2)
    while ContinuousClock.now < end {
      if try transfer.advance() == .waiting {
        try CopyTransfer.wait(for: [transfer], until: .after(.milliseconds(50)))
      }
    }
    #expect(transfer.total.bytes < 4 * CopyTransfer.queueLimit)
    let start = ContinuousClock.now
    transfer.fail("enough")
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(try count(source) == Self.rowCount)
    for target in targets { #expect(try count(target) == 0) }
  }

  @Test("TLS, TCP and Unix ends take part in one transfer, whichever is the source")
  func transports() throws {
    let server = try TestServer.shared.get()
    let places = [
      server.tcpIRI(user: "tlsonly", password: TestServer.password, "sslmode=require"),
      server.tcpIRI(user: "notls", password: TestServer.password, "sslmode=disable"), server.iri(),
    ]
    for index in places.indices {
      let ends = try places.map { try PGKit.open($0) }
      #expect(ends.map(\.isEncrypted) == [true, false, false])
      let from = ends[index]
      for end in ends where end !== from {
        try end.execute("CREATE TEMP TABLE sample(i int, j text)")
      }
      let query = "SELECT i, repeat(chr(97 + i % 26), i % 3000) FROM generate_series(1, 20000) AS i"
      let expected = try from.query.first(
        "SELECT md5(string_agg(i || j, ',' ORDER BY i)) FROM (\(query)) AS q(i, j)", as: String.self
      )
      let others = ends.filter { $0 !== from }
      let transfer = CopyTransfer(
        from: try StatementProducer(from, "COPY (\(query)) TO STDOUT"),
        to: try others.map { try receiver($0) })
      try transfer.run()
      for end in others {
        let stored = try end.query.first(
          "SELECT md5(string_agg(i || j, ',' ORDER BY i)) FROM sample", as: String.self)
        #expect(stored == expected)
      }
    }
  }

  @Test("a file is all of the data, or is not there; and its data can be copied in")
  func files() throws {
    let path = "/tmp/pgkit-copy-\(UInt64.random(in: 0...UInt64.max))"
    let out = CopyTransfer(
      from: try producer(), to: [try FileReceiver(path: path), NullReceiver()])
    try out.run()
    let back = CopyTransfer(from: try FileProducer(path: path), to: [try receiver(targets[0])])
    try back.run()
    #expect(try contents(targets[0]) == (try contents(source)))
    let left = CopyTransfer(from: try producer(), to: [try FileReceiver(path: path + "2")])
    _ = try left.next()
    left.fail("left")
    let error = #expect(throws: PGError.self) { try FileProducer(path: path + "2") }
    #expect(error?.code == .ioError)
    try FileManager.default.removeItem(atPath: path)
  }

  @Test("testNoReceivers: the only one dies, and the loop ends; finishing says that none are left")
  func noReceivers() throws {
    let transfer = CopyTransfer(from: try producer(), to: [try receiver(targets[0])])
    _ = try transfer.next()
    targets[0].close()
    #expect(try exhaust(transfer).map(\.index) == [0])
    #expect { try transfer.finish() } throws: { error in
      if case CopyFault.noReceivers = error { true } else { false }
    }
    transfer.fail("no receivers")
    #expect(try count(source) == Self.rowCount)
  }

  /// A receiver that refuses a piece once.
  private final class Hesitant: CopyReceiver {
    let inner: StatementReceiver
    var refusal: Int?
    private var number = 0

    init(_ inner: StatementReceiver, refusing refusal: Int) {
      (self.inner, self.refusal) = (inner, refusal)
    }

    func write(_ piece: CopyPiece) throws(PGError) {
      defer { number += 1 }
      if number == refusal {
        refusal = nil
        throw PGError(code: .operatorIntervention, message: "not now", fault: .caller)
      }
      try inner.write(piece)
    }
    func end() throws(PGError) { try inner.end() }
    func finish() throws(PGError) -> Int? { try inner.finish() }
    func fail(_ reason: String) { inner.fail(reason) }
  }

  @Test(
    "testReconciliation: a receiver that refuses a piece is out, is reconciled, and misses nothing",
    arguments: [0, 1, 2])
  func reconciliation(refusal: Int) throws {
    let hesitant = Hesitant(try receiver(targets[0]), refusing: refusal)
    let transfer = CopyTransfer(
      from: try producer("COPY (SELECT i, j FROM sample, generate_series(1, 30)) TO STDOUT"),
      to: [hesitant, try receiver(targets[1])])
    var (messages, faults) = (0, 0)
    while let moved = try step(
      transfer,
      { failed in
        faults += failed.count
        #expect(transfer.remaining == [1])
        try transfer.reconcile(0)
        #expect(transfer.remaining == [0, 1])
      })
    { messages += moved }
    try transfer.finish()
    try transfer.compareCounts()
    #expect(faults == 1)
    #expect(messages == 30 * Self.rowCount)
    #expect(try count(targets[0]) == messages)
    #expect(try contents(targets[0]) == (try contents(targets[1])))
  }

  @Test("a receiver that others have gone past cannot be reconciled, but its data can be replayed")
  func tooLate() throws {
    let hesitant = Hesitant(try receiver(targets[0]), refusing: 0)
    let transfer = CopyTransfer(from: try producer(), to: [hesitant, try receiver(targets[1])])
    #expect(try exhaust(transfer).map(\.index) == [0])
    #expect(throws: CopyFault.self) { try transfer.reconcile(0) }
    try transfer.finish()
    hesitant.fail("it has missed some")
    try transfer.replay(0, from: try producer(), to: try receiver(targets[0]))
    #expect(transfer.remaining == [0, 1])
    try transfer.compareCounts()
    for target in targets.prefix(2) { #expect(try contents(target) == (try contents(source))) }
  }

  @Test("another receiver takes over where a row begins", arguments: [1, 7, 64, 4096])
  func takesOver(size: Int) throws {
    let text = Array((1...2000).map { "\($0)\t\($0 * 2)\n" }.joined().utf8)
    let pieces = stride(from: 0, to: text.count, by: size).map {
      Array(text[$0..<min($0 + size, text.count)])
    }
    let refused = pieces.count / 2
    var (first, number) = ([UInt8](), 0)
    let broken = ClosureReceiver { piece throws(PGError) in
      if number == refused {
        throw PGError(code: .diskFull, message: "no room", fault: .caller)
      }
      number += 1
      piece.forEach { first += $0 }
    }
    let transfer = CopyTransfer(from: ClosureProducer(pieces), to: [broken], format: .text)
    while try step(
      transfer, { _ in try transfer.reconcile(0, with: try receiver(targets[0])) }) != nil
    {}
    try transfer.finish()
    // What the first one has of a row that is not whole, the second one has whole.
    let whole = first.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    let loaded = try targets[1].copyIn("COPY sample FROM STDIN")
    try loaded.write(Array(first[..<whole]))
    let before = try loaded.finish().rowCount ?? -1
    #expect(try count(targets[0]) + before == 2000)
    let least = try targets[0].query("SELECT min(i) FROM sample")[0][0, as: Int.self]
    #expect(least == before + 1)
  }

  @Test("another receiver takes over a server's binary rows, with what stands before the first one")
  func takesOverBinary() throws {
    try source.execute("INSERT INTO sample SELECT i, i FROM generate_series(1, 100000) AS i")
    let all = try count(source)
    var pieces = 0
    let broken = ClosureReceiver { _ throws(PGError) in
      pieces += 1
      if pieces == 4 { throw PGError(code: .diskFull, message: "no room", fault: .caller) }
    }
    let transfer = CopyTransfer(
      from: try producer("COPY sample TO STDOUT (FORMAT binary)"), to: [broken])
    var skipped = 0
    while let messages = try step(
      transfer,
      { _ in
        try transfer.reconcile(
          0, with: try receiver(targets[0], "COPY sample FROM STDIN (FORMAT binary)"))
      })
    {
      if pieces < 4 { skipped += messages }
    }
    try transfer.finish()
    #expect(pieces == 4 && skipped > 0)
    #expect(try count(targets[0]) == all - skipped)
  }

  @Test("testProducerFailure: the source's socket is closed; nothing is stored, the target goes on")
  func producerFailure() throws {
    try source.execute("INSERT INTO sample SELECT i, i FROM generate_series(1, 500000) AS i")
    let transfer = CopyTransfer(from: try producer(), to: [try receiver(targets[0])])
    _ = try transfer.next()
    source.close()
    let fault = #expect(throws: CopyFault.self) { try transfer.run() }
    guard case .producer(let error) = fault else {
      Issue.record("\(String(describing: fault))")
      return
    }
    #expect(error.code.classCharacters == "08", "\(error)")
    #expect(try count(targets[0]) == 0)
  }

  @Test("testCopyOne, testCopyNone, testEmptyRows: one row, none, and ten without columns")
  func edges() throws {
    let one = CopyTransfer(
      from: try producer("COPY (SELECT 1, 2) TO STDOUT"), to: [try receiver(targets[0])])
    try one.run()
    #expect(moved(one) == [1, 4])
    let none = CopyTransfer(
      from: try producer("COPY (SELECT 1, 2 LIMIT 0) TO STDOUT"), to: [try receiver(targets[1])])
    try none.run()
    #expect(moved(none) == [0, 0])
    try targets[2].execute("CREATE TEMP TABLE nothing()")
    let empty = CopyTransfer(
      from: try producer("COPY (SELECT FROM generate_series(1, 10)) TO STDOUT"),
      to: [try receiver(targets[2], "COPY nothing FROM STDIN")])
    try empty.run()
    #expect(moved(empty) == [10, 10])
    #expect(try targets[2].query("SELECT count(*) FROM nothing")[0][0, as: Int.self] == 10)
  }

  @Test(
    "testNull, testIteratorToCall: nothing to nobody, and pieces to a closure arrive as they are")
  func closures() throws {
    let null = CopyTransfer(from: NullProducer(), to: [NullReceiver()])
    try null.run()
    #expect(moved(null) == [0, 0])
    let pieces = (0..<500).map { block in
      Array((0..<20).map { "\(block * 20 + $0)\n" }.joined().utf8)
    }
    var heard: [[UInt8]] = []
    let receiver = ClosureReceiver { piece in piece.forEach { heard.append(Array($0)) } }
    let transfer = CopyTransfer(from: ClosureProducer(pieces), to: [receiver])
    var bytes = 0
    while let step = try transfer.next() { bytes += step.bytes }
    try transfer.finish()
    #expect(heard == pieces)
    #expect(bytes == pieces.reduce(0) { $0 + $1.count })
  }
}
