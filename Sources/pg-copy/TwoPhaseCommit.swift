internal import PGCommandLine
internal import PGConnecting
internal import PGKit

// One session decides: all others prepare their transactions, then it commits its own. From then on the
// prepared ones are to be committed, and before they are to be rolled back. Its transaction's number stands
// in the name of each prepared one, so that whoever comes after a crash can ask its server what was
// decided: nothing else has to be on record anywhere.

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
          identity: identity, number: index, system: try decisive.lane.systemIdentifier(),
          transaction: decisive.lane.transactionID ?? 0)
        let statement = "PREPARE TRANSACTION \(try SQL.quoteLiteral(name.text))"
        // If its answer is lost, it may be prepared all the same.
        prepared.append((other.receiver, other.lane, name))
        do throws(PGError) { try other.lane.session().execute(statement) } catch {
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

/// The name of a prepared transaction: `pgkit:JOB:RUN:NUMBER:SYSTEM:TRANSACTION`.
struct PreparedName: Equatable {
  let identity: RunIdentity
  /// Which of the run's prepared transactions it is, from 1.
  let number: Int
  /// The identifier of the server that decides.
  let system: String
  /// The number of the transaction there that decides.
  let transaction: Int

  /// What every name begins with.
  static let prefix = "pgkit:"

  init(identity: RunIdentity, number: Int, system: String, transaction: Int) {
    (self.identity, self.number) = (identity, number)
    (self.system, self.transaction) = (system, transaction)
  }

  /// Reads a name; `nil` if it is another one.
  init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 6, parts[0] + ":" == Self.prefix, RunIdentity.isName(parts[1]),
      let number = Int(parts[3]), let transaction = Int(parts[5])
    else { return nil }
    self.init(
      identity: RunIdentity(job: parts[1], run: parts[2]), number: number, system: parts[4],
      transaction: transaction)
  }

  /// The name.
  var text: String {
    "\(Self.prefix)\(identity.job):\(identity.run):\(number):\(system):\(transaction)"
  }

  /// Ends a prepared transaction, connecting again where the session is lost.
  ///
  /// - Returns: Whether it is ended, which it also is when it is not there any more.
  static func settle(_ name: PreparedName, commits: Bool, at lane: ServerEnd) -> Bool {
    for attempt in 0..<Self.attempts {
      do throws(PGError) {
        let connection =
          attempt == 0 ? try lane.session() : try lane.connectBeside()
        defer { if attempt > 0 { connection.close() } }
        let word = commits ? "COMMIT" : "ROLLBACK"
        try connection.execute("\(word) PREPARED \(try SQL.quoteLiteral(name.text))")
        return true
      } catch {
        // It has gone: an attempt before has ended it, and its answer was lost.
        if error.code == .undefinedObject { return attempt > 0 }
        if error.fault == .server, error.fields?.isFatal != true { return false }
        RetryPolicy(triesAll: false).sleep(before: attempt + 2, until: .never)
      }
    }
    return false
  }

  private static let attempts = 6
}
