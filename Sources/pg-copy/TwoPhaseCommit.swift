internal import PGCommandLine
internal import PGConnecting
internal import PGKit

// One session decides: all others prepare their transactions, then it commits its own. From then on the
// prepared ones are to be committed, and before they are to be rolled back. Its transaction's number stands
// in the name of each prepared one (``PreparedName``), so that whoever comes after a crash can ask its
// server what was decided: nothing else has to be on record anywhere.

/// The commit of receivers, or of the sessions of one, that commit all or none.
///
/// Source: PostgreSQL manual, PREPARE TRANSACTION; `txid_status`.
struct TwoPhaseCommit {
  /// What came of it.
  enum Outcome {
    /// All are committed, but for the prepared transactions named, by receivers' numbers: they are to be
    /// committed, and their servers cannot be reached.
    case committed(open: [Int: [String]])
    /// None is, because of this receiver.
    case refused(Receiver, PGError)
    /// The session that decides was lost, and could not be asked.
    case unknown(PGError, ServerEnd)
  }

  private typealias Lane = (receiver: Receiver, lane: ServerEnd)
  private typealias Prepared = (receiver: Receiver, lane: ServerEnd, name: PreparedName)

  private let identity: RunIdentity
  private let lanes: [Lane]

  /// - Parameter receivers: Who commits together; there is at least one.
  init(_ receivers: [Receiver], _ identity: RunIdentity) {
    self.identity = identity
    lanes = receivers.flatMap { receiver in receiver.lanes.map { (receiver, $0) } }
  }

  /// - Throws: ``PGError`` 55000 if a server cannot prepare so many transactions.
  static func checkCapacity(_ connection: Connection, needed: Int) throws(PGError) {
    let limit = try limit(connection)
    guard limit < needed else { return }
    throw PGError(
      code: .objectNotInPrerequisiteState,
      message:
        "--atomic needs \(needed) prepared transactions here, and max_prepared_transactions is \(limit)",
      fault: .server, hint: "set max_prepared_transactions higher, and restart the server")
  }

  /// Whether a server can prepare so many transactions.
  static func hasRoom(_ connection: Connection, for needed: Int) throws(PGError) -> Bool {
    try limit(connection) >= needed
  }

  private static func limit(_ connection: Connection) throws(PGError) -> Int {
    try connection.query.first(
      "SELECT pg_catalog.current_setting('max_prepared_transactions')::int", as: Int.self) ?? 0
  }

  /// Prepares, decides and commits.
  func run() -> Outcome {
    let decisive = lanes[0]
    var prepared: [Prepared] = []
    for (index, other) in lanes.enumerated().dropFirst() {
      do throws(PGError) {
        let name = PreparedName(
          identity: identity, number: index,
          decider: .init(
            system: try decisive.lane.systemIdentifier(), place: decisive.lane.place,
            transaction: decisive.lane.transactionID ?? 0))
        // If its answer is lost, it may be prepared all the same.
        prepared.append((other.receiver, other.lane, name))
        do throws(PGError) { try other.lane.prepareTransaction(name.text) } catch {
          if error.fault == .server, error.fields?.isFatal != true { prepared.removeLast() }
          throw error
        }
      } catch {
        rollback(prepared)
        return .refused(other.receiver, error)
      }
    }
    switch CommitOutcome(committing: decisive.lane) {
    case .committed: return .committed(open: commit(prepared))
    case .refused(let error):
      rollback(prepared)
      return .refused(decisive.receiver, error)
    case .unknown(let error): return .unknown(error, decisive.lane)
    }
  }

  private func rollback(_ prepared: [Prepared]) {
    for part in prepared {
      if PreparedName.settle(part.name, commits: false, at: part.lane) { continue }
      part.lane.note("the prepared transaction \(part.name.text) is left: pg-copy resolve ends it")
      part.receiver.leave(prepared: part.name)
    }
  }

  /// - Returns: The names of those that are still to be committed.
  private func commit(_ prepared: [Prepared]) -> [Int: [String]] {
    var open: [Int: [String]] = [:]
    for part in prepared where !PreparedName.settle(part.name, commits: true, at: part.lane) {
      open[part.receiver.number, default: []].append(part.name.text)
      part.lane.note(
        "the rows will be stored when pg-copy resolve has committed the prepared transaction \(part.name.text)"
      )
    }
    return open
  }
}
