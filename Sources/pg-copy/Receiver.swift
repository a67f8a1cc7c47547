internal import PGCommandLine
internal import PGKit

/// One `--to` and what became of it.
final class Receiver {
  /// How far it came.
  enum State: Equatable {
    /// It takes part.
    case taking
    /// It is out, with the status that this means.
    case failed(ExitStatus)
    /// Its rows are stored, or everything was written.
    case committed
    /// The connection was lost while it committed.
    case unknown
  }

  let operand: ReceiverOperand
  /// The server; `nil` is stdout.
  let server: ServerEnd?
  private(set) var state = State.taking
  /// Its place in the transfer.
  var index: Int?

  /// - Throws: ``Failure`` with status 64 if an option is malformed.
  init(_ operand: ReceiverOperand, number: Int) throws(Failure) {
    self.operand = operand
    server =
      operand.isStandardOutput ? nil : try ServerEnd("receiver \(number)", iri: operand.iri)
  }

  /// What it is called in messages.
  var label: String { server?.label ?? "stdout" }

  /// Drops it: says why, and rolls back.
  func fail(_ error: PGError, _ status: ExitStatus? = nil) {
    server?.report(error)
    server?.rollback()
    state = .failed(status ?? error.status)
  }

  /// Rolls back what it has taken, because of another end.
  func rollback(_ status: ExitStatus) {
    guard state == .taking else { return }
    server?.rollback()
    state = .failed(status)
  }

  /// Commits what it has taken.
  func commit() {
    do throws(PGError) {
      try server?.commit()
      state = .committed
    } catch {
      guard error.fault == .server, error.fields?.isFatal != true else {
        server?.report(
          error, hint: "The connection was lost in COMMIT: look whether the rows are there.")
        server?.rollback()
        state = .unknown
        return
      }
      fail(error)
    }
  }
}
