internal import PGErrorCodes
internal import Synchronization

// A server is ready when it says so in its file and a login succeeds on it, and it is ours when
// the file names our child and the login shows our data directory. The log is never a proof.

extension Cluster {
  /// How often is looked without being told of a change.
  private static let firstPause = Duration.milliseconds(2)
  private static let longestPause = Duration.milliseconds(20)

  /// Waits until the child has said in its file where it listens and that it is ready.
  func awaitFile(
    of child: ChildProcess, _ log: ServerLog, until deadline: Deadline
  ) throws(PGError) -> PostmasterFile {
    var found: PostmasterFile?
    let watch = DirectoryWatch(dataDirectory.path)
    try awaitCondition(child, log, until: deadline, watch) { () throws(PGError) in
      guard let file = dataDirectory.postmasterFile, file.processID == child.pid else {
        return "it has not written its postmaster.pid"
      }
      // Servers before 10 do not say more than where they listen.
      let isReady = file.state == .ready || file.state == .standby
      if !isReady, versionSaysState { return "it is \(file.state?.rawValue ?? "starting")" }
      guard file.port != nil else { return "it does not listen yet" }
      found = file
      return nil
    }
    guard let found else { throw .cluster("the server did not say where it listens") }
    return found
  }

  private var versionSaysState: Bool { installation.serverVersion.major >= 10 }

  /// Waits until a login succeeds, and proves that it was on our server.
  func awaitLogin(
    _ child: ChildProcess, _ address: ClusterAddress, _ database: String, _ log: ServerLog,
    until deadline: Deadline
  ) throws(PGError) {
    try awaitCondition(child, log, until: deadline, DirectoryWatch(none: ())) {
      () throws(PGError) in
      switch Self.loginAnswer(at: address, database, until: deadline) {
      case .refused: return nil
      case .notYet(let reason): return reason
      case .dataDirectory(let directory):
        if FileStatus.areSame(directory, dataDirectory.path) { return nil }
        throw PGError.clusterStartup(
          "another server answers at \(address.host):\(address.port): "
            + "its data directory is \"\(directory)\"")
      }
    }
  }

  /// Asks until `obstacle` returns nothing, the child ends or the deadline passes.
  private func awaitCondition(
    _ child: ChildProcess, _ log: ServerLog, until deadline: Deadline,
    _ watch: borrowing DirectoryWatch, _ obstacle: () throws(PGError) -> String?
  ) throws(PGError) {
    var pause = Self.firstPause
    while true {
      // Before it is looked: what changes after that is told again.
      watch.clear()
      let reason = try obstacle()
      guard let reason else { return }
      if deadline.hasPassed { throw notReady(reason, log) }
      let ending = child.wait(
        until: Deadline.after(pause).earlier(deadline), or: watch.descriptor)
      if let ending {
        forget(ending)
        throw startFailure(ending, log)
      }
      pause = min(pause * 2, Self.longestPause)
    }
  }

  private func startFailure(_ ending: ProcessEnding, _ log: ServerLog) -> PGError {
    let fault = log.fault
    let said = fault.isEmpty ? "it wrote nothing" : fault
    return .clusterStartup(
      "the server for \"\(dataDirectory.path)\" \(ending) before it was ready:\n\(said)",
      // A throwaway cluster's log goes with it.
      hint: supervisor == nil ? "Its log is \"\(log.path)\"." : nil)
  }

  /// An error of a start with what else is found to be in the way.
  func explained(_ error: PGError, port: Int?) -> PGError {
    let explicable: [SQLState] = [.clusterStartupError, .clusterError, .initDBError]
    guard explicable.contains(error.code) else { return error }
    let user = (try? serverUser()) ?? nil
    // Throwaway clusters share memory by files.
    let found = StartObstacles(
      directory: dataDirectory, user: user, port: port,
      usesFiles: supervisor != nil || error.code == .initDBError
    ).sentences
    if found.isEmpty { return error }
    let hint = (found + [error.hint].compactMap { $0 }).joined(separator: " ")
    return PGError(
      code: error.code, message: error.message, fault: error.fault, hint: hint, cause: error.cause)
  }

  private func notReady(_ reason: String, _ log: ServerLog) -> PGError {
    .clusterTimeout(
      "the server for \"\(dataDirectory.path)\" was not ready in time: \(reason)",
      // A throwaway cluster is ended and goes, with its log.
      hint: supervisor == nil ? "It goes on starting; its log is \"\(log.path)\"." : nil)
  }
}
