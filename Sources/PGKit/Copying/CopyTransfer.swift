// One producer, many receivers, one thread: every piece goes to every receiver before the next one
// is asked for, so memory does not grow and the slowest receiver sets the pace. Transactions are the
// caller's: nothing here commits.

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

  private enum Phase { case running, exhausted, finished, failed }

  private let producer: any CopyProducer
  private let receivers: [any CopyReceiver]
  private var phase = Phase.running
  /// The receivers still taking part, by their place in the original list, from 0.
  public private(set) var remaining: [Int]
  /// What has been moved so far.
  public private(set) var total = Step()
  /// What the steps that ended in a receiver's fault moved: the next one reports it.
  private var carried = Step()
  private var counts: [Int: Int] = [:]

  /// Makes a transfer; nothing moves yet.
  public init(from producer: any CopyProducer, to receivers: [any CopyReceiver]) {
    self.producer = producer
    self.receivers = receivers
    remaining = Array(receivers.indices)
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
    guard phase == .running, !remaining.isEmpty else { return nil }
    let piece: CopyPiece?
    do throws(PGError) { piece = try producer.next() } catch { throw .producer(error) }
    guard let piece else {
      phase = .exhausted
      return nil
    }
    count(piece)
    try attempt { (receiver, _) throws(PGError) in try receiver.write(piece) }
    defer { carried = Step() }
    return carried
  }

  /// Tells all receivers that the data is complete, then waits for each.
  ///
  /// - Throws: ``CopyFault/receivers(_:)`` when some failed: the others have finished nevertheless.
  ///   ``CopyFault/incomplete`` or ``CopyFault/noReceivers`` when there is nothing to finish.
  public func finish() throws(CopyFault) {
    if phase == .finished { return }
    guard phase == .exhausted else { throw remaining.isEmpty ? .noReceivers : .incomplete }
    guard !remaining.isEmpty else { throw .noReceivers }
    phase = .finished
    var faults: [CopyFault.Receiver] = []
    collect(&faults) { (receiver, _) throws(PGError) in try receiver.end() }
    collect(&faults) { (receiver, index) throws(PGError) in
      counts[index] = try receiver.finish()
    }
    if !faults.isEmpty { throw .receivers(faults) }
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
  }

  /// Has every remaining receiver do something; those that cannot are out.
  private func attempt(
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
    for index in remaining {
      do throws(PGError) { try body(receivers[index], index) } catch {
        faults.append(.init(index: index, error: error))
      }
    }
    if !faults.isEmpty {
      let out = Set(faults.map(\.index))
      remaining.removeAll { out.contains($0) }
    }
  }
}
