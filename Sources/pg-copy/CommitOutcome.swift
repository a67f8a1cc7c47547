internal import Glibc
internal import PGConnecting
internal import PGKit

/// What became of a COMMIT: a server that is lost in the middle of one is asked afterwards, because a
/// COMMIT is never done again blindly.
enum CommitOutcome {
  case committed
  /// Rolled back, for this reason.
  case refused(PGError)
  /// The server cannot be asked.
  case unknown(PGError)

  /// Commits.
  init(committing lane: ServerEnd) {
    do throws(PGError) {
      try lane.commit()
      self = .committed
    } catch {
      if error.fault == .server, error.fields?.isFatal != true {
        self = .refused(error)
      } else {
        self = Self.afterLoss(of: lane, error)
      }
    }
  }

  /// How long a server is given to come back.
  private static var patience: Duration { Interruptions.shared.graceTime * 2 }

  /// Asks what became of the transaction.
  private static func afterLoss(of lane: ServerEnd, _ error: PGError) -> CommitOutcome {
    guard let number = lane.transactionID else { return .unknown(error) }
    let end = Deadline.after(patience)
    repeat {
      switch try? status(of: number, at: lane, until: end) {
      case "committed":
        lane.note("the connection was lost in COMMIT, but the rows are stored")
        return .committed
      case "aborted": return .refused(error)
      default: usleep(200_000)
      }
    } while !end.hasPassed
    return .unknown(error)
  }

  /// `committed`, `aborted`, `in progress`, or `nil` where it is not known any more.
  static func status(
    of transaction: Int, at lane: ServerEnd, until end: Deadline = .never
  ) throws(PGError) -> String? {
    let connection = try lane.connectBeside(until: end)
    defer { connection.close() }
    return try connection.query.first(
      "SELECT pg_catalog.txid_status($1)", transaction, as: String.self)
  }
}
