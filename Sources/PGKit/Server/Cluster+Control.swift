#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Cluster {
  /// How a server is asked to end.
  ///
  /// Source: PostgreSQL manual, "Shutting Down the Server".
  public enum ShutdownMode: String, Sendable, CaseIterable {
    /// When the last client has gone by itself.
    case smart
    /// At once; what clients were doing is rolled back.
    case fast
    /// Without cleaning up: the next start recovers from the log. For clusters to be thrown away.
    case immediate

    fileprivate var signal: Int32 {
      switch self {
      case .smart: SIGTERM
      case .fast: SIGINT
      case .immediate: SIGQUIT
      }
    }
  }

  /// How long a server that was killed may take to be gone.
  private static let killPatience = Duration.seconds(5)

  /// Stops the server and waits until it is gone.
  ///
  /// If it does not end in time it is asked again, more firmly: a smart or fast shutdown becomes an
  /// immediate one.
  ///
  /// - Parameters:
  ///   - mode: How it is asked first.
  ///   - wait: How long it may take before it is asked more firmly, and again after that.
  ///   - force: Whether it is killed in the end. Its shared memory may then stay behind.
  /// - Returns: Whether a server was stopped; `false` if none ran.
  /// - Throws: ``PGError`` `-Cout` if it is still there.
  ///
  /// In py-postgresql: `Cluster.stop()`, `shutdown()`, `kill()`.
  @discardableResult
  public func stop(
    _ mode: ShutdownMode = .fast, wait: Duration = .seconds(30), force: Bool = false
  ) throws(PGError) -> Bool {
    guard case .running(let file) = try status() else { return false }
    let server = ProcessHandle(file.processID)
    try send(mode.signal, to: server)
    var isGone = hasEnded(server, by: .after(wait))
    if !isGone, mode != .immediate {
      try send(ShutdownMode.immediate.signal, to: server)
      isGone = hasEnded(server, by: .after(wait))
    }
    if !isGone, force {
      try send(SIGKILL, to: server)
      isGone = hasEnded(server, by: .after(Self.killPatience))
    }
    guard isGone else {
      throw .clusterTimeout(
        "the server in \"\(dataDirectory.path)\" (process \(file.processID)) did not stop in time",
        hint: "Ask with mode immediate, or have it killed.")
    }
    if let directory = file.socketDirectory { SocketDirectory.removeIfEmpty(directory) }
    return true
  }

  /// Stops the server and starts it again.
  ///
  /// In py-postgresql: `Cluster.restart()`.
  public func restart(
    _ mode: ShutdownMode = .fast, wait: Duration = .seconds(30),
    _ options: StartOptions = StartOptions()
  ) throws(PGError) {
    try stop(mode, wait: wait)
    try start(options)
  }

  /// Has the server read its configuration again.
  ///
  /// - Throws: ``PGError`` `-Cdwn` if no server runs.
  ///
  /// In py-postgresql: `Cluster.reload()`.
  public func reload() throws(PGError) {
    guard let processID = try processID() else {
      throw .clusterNotRunning("no server runs in \"\(dataDirectory.path)\"")
    }
    try send(SIGHUP, to: ProcessHandle(processID))
  }

  /// Removes the cluster: the data directory with everything in it.
  ///
  /// Tablespaces elsewhere are not touched.
  ///
  /// - Throws: ``PGError`` `-C000` if there is no cluster, its server runs, or the directory is a
  ///   link or a mount point.
  ///
  /// In py-postgresql: `Cluster.drop()`.
  public func drop() throws(PGError) {
    let path = dataDirectory.path
    switch try status() {
    case .missing, .uninitialized: throw .cluster("there is no cluster in \"\(path)\"")
    case .running(let file):
      throw .cluster(
        "the server in \"\(path)\" runs (process \(file.processID))", hint: "Stop it first.")
    case .stopped: break
    }
    let directory = try DirectoryIdentity(path)
    let above = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
    if let parent = try? FileStatus(of: above.isEmpty ? "/" : above),
      parent.device != directory.device
    {
      throw .cluster("\"\(path)\" is a mount point; it is left alone")
    }
    try directory.remove()
  }

  private func send(_ signal: Int32, to server: ProcessHandle) throws(PGError) {
    do throws(SystemError) { try server.send(signal) } catch {
      throw .cluster("could not signal process \(server.pid)", error)
    }
  }

  /// Whether the server has gone.
  ///
  /// Our own child has to be collected to be gone.
  private func hasEnded(_ server: ProcessHandle, by deadline: Deadline) -> Bool {
    if let child = started.withLock({ $0?.child }), child.pid == server.pid {
      guard child.wait(until: deadline) != nil else { return false }
      started.withLock { $0 = nil }
      return true
    }
    return server.hasEnded(by: deadline)
  }
}
