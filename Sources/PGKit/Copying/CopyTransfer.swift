// One producer, many receivers, one thread. A piece goes to the queue of every receiver, and each sends
// what its server takes; the next piece is asked for once a queue is empty, as long as none is full. So
// memory has a bound, and the slowest receiver sets the pace without the others waiting within a piece.
// Transactions are the caller's: nothing here commits.

/// Copies data from one producer to any number of receivers.
///
/// ```swift
/// let transfer = CopyTransfer(
///   from: try StatementProducer(source, "COPY job TO STDOUT"),
///   to: [try StatementReceiver(target, "COPY job FROM STDIN")])
/// try transfer.run()
/// ```
///
/// While it runs, the connections involved must not be used for anything else.
///
/// In py-postgresql: `copyman.CopyManager`.
public final class CopyTransfer {
  /// What one step moved.
  public struct Step: Sendable, Hashable {
    /// Messages: a server sends one for each row.
    public internal(set) var messages = 0
    /// Bytes of data.
    public internal(set) var bytes = 0
  }

  /// What an attempt without waiting came to.
  public enum Advance: Sendable, Hashable {
    /// Something moved.
    case moved(Step)
    /// Nothing can move now: ``CopyTransfer/wait(for:until:orFor:)`` waits until something can.
    case waiting
    /// The producer has given everything, or no receiver is left.
    case over
  }

  /// How much may wait for one receiver before the producer has to.
  public static let queueLimit = 1 << 20
  /// For how long a producer that has given all it had is left alone, at least and at most.
  ///
  /// A server hands its rows out 8 KiB at a time. Taking each at once costs more than all else that is
  /// done with it, and takes the processor from the servers; a moment later there are many of them.
  private static let gatheringTime = (least: 50_000, most: 500_000)  // nanoseconds
  /// How much should come in that time.
  ///
  /// Less is a reason for more of it, and more for less: a server's Unix socket holds 192 KiB, and it does
  /// nothing while that is full.
  private static let gatheredSize = (least: 136 << 10, most: 176 << 10)
  /// How many pieces come without any delay: a short copy has none.
  private static let promptPieces = 32
  /// How long a server may take to note that something is to be cancelled.
  static let cancelLimit = Duration.seconds(2)
  /// How long it may take to come to an end then.
  static let stopLimit = Duration.seconds(10)

  private enum Readiness {
    /// It takes what there is for it, or gathers it.
    case willing
    /// It did not take all of that, and is left alone until it is ready.
    case blocked
    /// It is ready, or has something to say.
    case ready
  }

  enum Phase { case running, exhausted, finished, failed }

  let producer: any CopyProducer
  var receivers: [any CopyReceiver]
  var phase = Phase.running
  /// The receivers still taking part, by their place in the original list, from 0.
  public internal(set) var remaining: [Int]
  /// What has been moved so far.
  public private(set) var total = Step()
  /// What the steps that ended in a receiver's fault moved: the next one reports it.
  private var carried = Step()
  var counts: [Int: Int] = [:]
  /// What receivers that failed were not given.
  var withheld: [Int: WithheldPiece] = [:]
  /// How many pieces came.
  var pieceCount = 0
  /// How many bytes came since the producer was left alone.
  private var gathered = 0
  /// How long the producer is left alone the next time, in nanoseconds.
  private var gatheringTime = CopyTransfer.gatheringTime.most
  /// Where rows end in data that comes from elsewhere; `nil` if its format is not known.
  var boundary: RowBoundary?
  /// What stands before the first row of a server's binary data.
  private var header: [UInt8] = []
  private var joinsRows = false
  /// What is known of each receiver, by its place in the original list.
  private var readiness: [Readiness]
  /// Whether the producer had nothing, and has not become ready since.
  private var isQuiet = false

  /// Makes a transfer; nothing moves yet.
  ///
  /// - Parameters:
  ///   - producer: Where the data comes from.
  ///   - receivers: Where all of it goes to.
  ///   - format: The format of data that is not a server's, for going on with another receiver at a
  ///     row's beginning (``reconcile(_:with:)``).
  public init(
    from producer: any CopyProducer, to receivers: [any CopyReceiver], format: CopyFormat? = nil
  ) {
    self.producer = producer
    self.receivers = receivers
    boundary = format.map { RowBoundary($0) }
    remaining = Array(receivers.indices)
    readiness = receivers.map { _ in .willing }
    joinsRows = producer.givesPiecesAway && receivers.allSatisfy(\.takesJoinedRows)
    if joinsRows { producer.joinRows() }
    if receivers.count > 1 { for receiver in receivers { receiver.joinOthers() } }
  }

  /// Moves everything, waits for all receivers, and compares the counts of rows.
  ///
  /// - Throws: ``CopyFault``: the first one. Receivers that had not finished have then been told to
  ///   forget the data; what the others have stored goes only if each is given a transaction and that
  ///   is rolled back.
  ///
  /// In py-postgresql: `CopyManager.run`, `copyman.transfer`.
  public func run() throws(CopyFault) {
    do throws(CopyFault) {
      while try next() != nil {}
      try finish()
      try compareCounts()
    } catch {
      fail("\(error)")
      throw error
    }
  }

  /// Moves one piece to every receiver.
  ///
  /// - Returns: What was moved since the last step that returned; `nil` when the producer has given
  ///   everything or no receiver is left.
  /// - Throws: ``CopyFault/receivers(_:)`` when receivers failed, which are then out; call again to
  ///   go on with the others. ``CopyFault/producer(_:)`` when the producer did.
  public func next() throws(CopyFault) -> Step? {
    while true {
      switch try advance() {
      case .moved(let step): return step
      case .over: return nil
      case .waiting: try Self.wait(for: [self], until: .never)
      }
    }
  }

  /// Moves what can be moved without waiting: at most one piece of the producer.
  ///
  /// - Throws: as ``next()``.
  public func advance() throws(CopyFault) -> Advance {
    guard phase == .running, !remaining.isEmpty else { return .over }
    try attempt { (receiver, index) throws(PGError) in
      let readiness = readiness[index]
      if readiness == .ready || readiness == .willing && receiver.queuedBytes > 0 {
        try sendQueued(receiver, index)
      }
    }
    if isQuiet || !wantsMore { return .waiting }
    let arrival: CopyArrival
    do throws(PGError) { arrival = try producer.nextIfThere() } catch { throw .producer(error) }
    switch arrival {
    case .nothingYet:
      isQuiet = !producer.watches.isEmpty
      return .waiting
    case .end:
      phase = .exhausted
      // What a step moved that ended in a fault has not been told yet.
      if carried == Step() { return .over }
    case .piece(let piece):
      isQuiet = producer.isDrained
      try give(piece)
    }
    defer { carried = Step() }
    return .moved(carried)
  }

  private func give(_ piece: CopyPiece) throws(CopyFault) {
    count(piece)
    if pieceCount == 0, case .chunk = piece, piece.begins(with: BinaryCopyFile.signature) {
      header = BinaryCopyFile.header
    }
    // A producer that looks at the rows, or had the first before it was asked, has not joined them.
    let piece = joinsRows ? piece.joined() : piece
    defer {
      pieceCount += 1
      boundary?.take(piece)
    }
    try attempt { (receiver, index) throws(PGError) in
      do throws(PGError) { try receiver.enqueue(piece) } catch {
        withheld[index] = WithheldPiece(
          piece: piece, number: pieceCount, rowBeginning: boundary?.partialRow ?? [],
          header: boundary?.header ?? header)
        throw error
      }
      if readiness[index] != .blocked { try sendQueued(receiver, index) }
    }
  }

  private func sendQueued(_ receiver: any CopyReceiver, _ index: Int) throws(PGError) {
    readiness[index] = .willing
    try receiver.sendQueued()
    // One that waits for nothing is asked again each time.
    if receiver.queuedBytes > 0, !receiver.watches.isEmpty { readiness[index] = .blocked }
  }

  /// Waits until one of the transfers can move something, or the deadline has passed.
  ///
  /// - Parameters:
  ///   - transfers: What is to go on.
  ///   - deadline: When to wait no longer.
  ///   - watches: Descriptors that end the waiting when they are ready.
  public static func wait(
    for transfers: [CopyTransfer], until deadline: Deadline, orFor watches: [DescriptorWatch] = []
  ) throws(CopyFault) {
    var gatheringTime: Int?
    for transfer in transfers where transfer.isTrickling {
      gatheringTime = min(gatheringTime ?? .max, transfer.nextGatheringTime())
    }
    if let gatheringTime { Syscalls.pause(.nanoseconds(gatheringTime)) }
    var (asked, watches) = ([(transfer: CopyTransfer, end: End)](), watches)
    let others = watches.count
    for transfer in transfers {
      transfer.forEachWatch { end, watch in
        asked.append((transfer, end))
        watches.append(watch)
      }
    }
    let answers: [Bool]
    do throws(PGError) { answers = try Syscalls.wait(forAny: watches, until: deadline) } catch {
      throw .producer(error)
    }
    // Who was not asked may have something by now.
    for transfer in transfers where !transfer.wantsMore { transfer.isQuiet = false }
    for (one, isReady) in zip(asked, answers.dropFirst(others)) where isReady {
      one.transfer.hear(of: one.end)
    }
  }

  /// Puts another receiver in the place of one that failed.
  func replaceReceiver(_ index: Int, by receiver: any CopyReceiver) {
    receivers[index] = receiver
    readiness[index] = .willing
    if receivers.count > 1 { receiver.joinOthers() }
  }

  private func hear(of end: End) {
    switch end {
    case .producer: isQuiet = false
    case .receiver(let index): readiness[index] = .ready
    }
  }

  /// Whether the producer is to be asked: a receiver has nothing left that it waits to send, and none has
  /// too much.
  ///
  /// What a server has not taken fills its socket, so that it has enough to do until more is fetched. And
  /// what is fetched no sooner than that lies in the same memory as what went before: one receiver needs
  /// one buffer, which stays where the processor reaches it fast.
  private var wantsMore: Bool {
    var isAnyIdle = false
    for index in remaining {
      let queued = receivers[index].queuedBytes
      if queued >= Self.queueLimit { return false }
      if queued == 0 || readiness[index] == .willing { isAnyIdle = true }
    }
    return isAnyIdle
  }

  /// Whether only its producer keeps it waiting, which gives its data bit by bit.
  private var isTrickling: Bool {
    phase == .running && pieceCount > Self.promptPieces && isQuiet && wantsMore
  }

  /// How long to leave the producer alone, by what it has given since the last time.
  private func nextGatheringTime() -> Int {
    if gathered > Self.gatheredSize.most {
      // By little: halved, it would bring too little the next time, and be doubled again.
      gatheringTime = max(gatheringTime * 7 / 8, Self.gatheringTime.least)
    } else if gathered < Self.gatheredSize.least {
      gatheringTime = min(gatheringTime * 2, Self.gatheringTime.most)
    }
    gathered = 0
    return gatheringTime
  }

  private enum End {
    case producer
    case receiver(Int)
  }

  /// Hands `body` all that would let it go on, and whose it is.
  private func forEachWatch(_ body: (End, DescriptorWatch) -> Void) {
    if phase == .running && wantsMore { for watch in producer.watches { body(.producer, watch) } }
    for index in remaining {
      for watch in receivers[index].watches { body(.receiver(index), watch) }
    }
  }

  /// Tells all receivers that the data is complete, then waits for each.
  ///
  /// - Throws: ``CopyFault/receivers(_:)`` when some failed: the others have finished nevertheless.
  ///   ``CopyFault/incomplete`` or ``CopyFault/noReceivers`` when there is nothing to finish.
  public func finish() throws(CopyFault) {
    if phase == .finished { return }
    guard phase == .exhausted else { throw remaining.isEmpty ? .noReceivers : .incomplete }
    guard !remaining.isEmpty else { throw .noReceivers }
    var faults: [CopyFault.Receiver] = []
    try drain(&faults)
    phase = .finished
    collect(&faults) { (receiver, _) throws(PGError) in try receiver.end() }
    collect(&faults) { (receiver, index) throws(PGError) in
      counts[index] = try receiver.finish()
    }
    if !faults.isEmpty { throw .receivers(faults) }
  }

  /// Sends what waits, to all receivers at the same time.
  private func drain(_ faults: inout [CopyFault.Receiver]) throws(CopyFault) {
    while true {
      collect(&faults) { (receiver, _) throws(PGError) in
        if receiver.queuedBytes > 0 { try receiver.sendQueued() }
      }
      // One that gathers passes the rest on when it hears of the end.
      let watches = remaining.flatMap { index -> [DescriptorWatch] in
        receivers[index].queuedBytes > 0 ? receivers[index].watches : []
      }
      if watches.isEmpty { return }
      do throws(PGError) { _ = try Syscalls.wait(forAny: watches, until: .never) } catch {
        throw .producer(error)
      }
    }
  }

  /// Compares what the producer and the remaining receivers say of the number of rows; who does not
  /// know it is left out.
  ///
  /// - Throws: ``CopyFault/counts(_:)`` if they differ.
  public func compareCounts() throws(CopyFault) {
    var known = remaining.compactMap { index in
      counts[index].map { CopyFault.Count(index: index, rows: $0) }
    }
    if let rows = producer.rowCount { known.insert(.init(index: nil, rows: rows), at: 0) }
    if Set(known.map(\.rows)).count > 1 { throw .counts(known) }
  }

  /// The number of rows that a receiver took in; `nil` before it has finished.
  public func rowCount(ofReceiver index: Int) -> Int? { counts[index] }

  /// The number of rows that the producer says it gave, once it has given all.
  public var producedRowCount: Int? { producer.rowCount }

  /// Gives the transfer up: stops the producer and has the receivers forget the data that have not
  /// finished.
  ///
  /// The connections involved can be used again afterwards.
  public func fail(_ reason: String) {
    if phase == .failed { return }
    if phase == .running { producer.stop() }
    if phase != .finished { for index in remaining { receivers[index].fail(reason) } }
    phase = .failed
  }

  private func count(_ piece: CopyPiece) {
    let (messages, bytes) = (piece.messageCount, piece.byteCount)
    total.messages += messages
    total.bytes += bytes
    carried.messages += messages
    carried.bytes += bytes
    gathered += bytes
  }

  /// Has every remaining receiver do something; those that cannot are out.
  func attempt(
    _ body: (any CopyReceiver, Int) throws(PGError) -> Void
  ) throws(CopyFault) {
    var faults: [CopyFault.Receiver] = []
    collect(&faults, body)
    if !faults.isEmpty { throw .receivers(faults) }
  }

  private func collect(
    _ faults: inout [CopyFault.Receiver],
    _ body: (any CopyReceiver, Int) throws(PGError) -> Void
  ) {
    let earlier = faults.count
    for index in remaining {
      do throws(PGError) { try body(receivers[index], index) } catch {
        faults.append(.init(index: index, error: error))
      }
    }
    if faults.count > earlier {
      let out = Set(faults.map(\.index))
      remaining.removeAll { out.contains($0) }
    }
  }
}

extension Connection {
  /// Cancels what runs, or closes the connection if the server cannot be told in time.
  ///
  /// Where the request is refused for another reason, what runs is to be waited for.
  func cancelOrClose() {
    do throws(PGError) { try interruption.cancel(within: CopyTransfer.cancelLimit) } catch {
      if error.isTimeout || error.code == .connectTimeoutError { close() }
    }
  }
}
