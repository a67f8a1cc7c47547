internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// What one run of pg-copy does: attempts, until one is no reason for another, and what is said of them.
final class CopyJob {
  private let plan: CopyPlan
  private let identity: RunIdentity
  private let receivers: ReceiverSet
  private let progress: ProgressReport
  private let start = ContinuousClock.now
  /// The attempt that is under way, or was the last one.
  private var attempt: CopyAttempt

  /// Makes the job of a plan.
  ///
  /// - Throws: ``Failure`` with status 64.
  init(_ plan: CopyPlan) throws(Failure) {
    self.plan = plan
    identity = RunIdentity(job: plan.running.job)
    receivers = try ReceiverSet(plan)
    progress = ProgressReport(plan.reporting, identity)
    attempt = try CopyAttempt(plan, identity, receivers, progress)
  }

  /// Runs it.
  ///
  /// - Throws: ``Failure`` or ``StandardOutput/Failure``.
  func run() throws {
    defer { progress.end() }
    progress.start()
    if let splay = plan.running.splay {
      progress.enter(.waiting)
      do { try Interruptions.shared.wait(upTo: splay.duration) } catch { throw told(error) }
    }
    var attempts = 0
    while try mustRepeat(attempts) {
      attempts += 1
      let pause = RetryPolicy(triesAll: false).longestPause(before: attempts)
      do { try Interruptions.shared.wait(upTo: pause) } catch { throw told(error) }
      attempt = try CopyAttempt(plan, identity, receivers, progress, isRepeated: true)
      receivers.beginAnew()
    }
    if !plan.running.dryRun { try conclude() }
  }

  /// Does everything but say what came of it.
  ///
  /// - Returns: Whether it is to be done once more.
  private func mustRepeat(_ attempts: Int) throws -> Bool {
    do {
      if plan.running.dryRun {
        try attempt.dryRun()
      } else {
        setLastWords()
        try attempt.run(opened: setLastWords)
      }
    } catch {
      guard let failure = error as? Failure, mayRepeat(after: failure, attempts) else {
        throw told(error)
      }
      failure.diagnostic?.print()
      return true
    }
    return receivers.status != .ok && mayRepeat(after: Failure(receivers.status), attempts)
  }

  private func setLastWords() {
    Interruptions.shared.setLastWords(
      Summary.lastWords(
        of: attempt.record(since: start), plan.reporting, moved: progress.movedBytes))
  }

  // MARK: Again

  private func mayRepeat(after failure: Failure, _ attempts: Int) -> Bool {
    attempts < plan.running.retry && !plan.running.dryRun && mayPass(failure)
      && receivers.committed == 0
      && !Interruptions.shared.isInterrupted && !receivers.hasUnknown
  }

  /// Whether a failure can be another one next time: the connection was lost, or the server had the
  /// transaction give way, as a standby does whose primary has cleaned up.
  private func mayPass(_ failure: Failure) -> Bool {
    failure.status == .connection || failure.diagnostic?.code?.classCharacters == "40"
  }

  // MARK: The end

  /// The last line, and the status.
  private func conclude() throws {
    let status = receivers.status
    summarize(status)
    if status != .ok { throw Failure(status) }
  }

  private func summarize(
    _ status: ExitStatus, because reason: Diagnostic? = nil, endingBy signal: CInt? = nil
  ) {
    progress.end()
    Summary(attempt.record(since: start), status, because: reason, endingBy: signal)
      .print(plan.reporting)
  }

  /// What is said about a run that an error has ended.
  private func told(_ error: any Error) -> any Error {
    if let output = error as? StandardOutput.Failure, output.isBrokenPipe {
      if plan.reporting.summary == .json, !plan.running.dryRun {
        summarize(.localFailure, because: .own("\(output)"), endingBy: SIGPIPE)
      }
      return error
    }
    let last = interruption ?? error
    if plan.reporting.summary == .json, !plan.running.dryRun {
      let failure = last as? Failure
      summarize(failure?.status ?? .localFailure, because: failure?.diagnostic)
    }
    return last
  }

  /// What ends a run that was interrupted before anything was committed.
  private var interruption: Failure? {
    guard receivers.committed == 0, !receivers.hasUnknown else { return nil }
    if Interruptions.shared.signal != nil {
      return Failure(.localFailure, .own("interrupted; nothing was committed"))
    }
    if Interruptions.shared.isExpired || Interruptions.shared.isLate {
      return Failure(.deadline, .own("the time of --deadline is over; nothing was committed"))
    }
    return nil
  }
}
