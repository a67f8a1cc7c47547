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

  /// How long the processes of a server that was killed may take to be gone after it.
  static let companyPatience = Duration.seconds(5)

  /// Stops the server and waits until it is gone.
  ///
  /// If a fast shutdown does not end in time, an immediate one is asked for. A smart shutdown is
  /// not made firmer by itself, because it was chosen to spare the clients: the server goes on
  /// waiting for them.
  ///
  /// - Parameters:
  ///   - mode: How it is asked first.
  ///   - wait: How long it may take before it is asked more firmly, and again after that.
  ///   - force: Whether it is asked more firmly in every mode, and killed in the end, with all its
  ///     processes; so are those that a server has left that was killed before.
  /// - Returns: Whether a server was stopped; `false` if none ran.
  /// - Throws: ``PGError`` `-Cout` if it is still there.
  ///
  /// In py-postgresql: `Cluster.stop()` (smart), `shutdown()` (fast), `kill()`.
  @discardableResult
  public func stop(
    _ mode: ShutdownMode = .fast, wait: Duration = .seconds(30), force: Bool = false
  ) throws(PGError) -> Bool {
    try stop(mode, wait: wait, force: force) {}
  }

  /// The same, with something that is done while the server goes.
  @discardableResult
  func stop(
    _ mode: ShutdownMode, wait: Duration, force: Bool, meanwhile: () -> Void
  ) throws(PGError) -> Bool {
    // Looked at while the directory is there.
    let memory = force ? SharedMemory(of: dataDirectory.path) : nil
    guard let (server, file) = try runningServer() else {
      if force { try end(ServerProcesses(in: dataDirectory.path), memory) }
      return false
    }
    try send(mode.signal, to: server)
    meanwhile()
    var isGone = hasEnded(server, by: .after(wait))
    if !isGone, mode == .fast || mode == .smart && force {
      try send(ShutdownMode.immediate.signal, to: server)
      isGone = hasEnded(server, by: .after(wait))
    }
    if !isGone, force {
      let company = ServerProcesses(in: dataDirectory.path)
      try send(SIGKILL, to: server)
      isGone = hasEnded(server, by: .after(Self.killPatience))
      if isGone {
        try end(company, memory)
        // The next server would take the file's number for a living process as long as nobody has
        // collected the dead one.
        unlink(dataDirectory.path + "/postmaster.pid")
      }
    }
    guard isGone else { throw stillThere(server.pid, mode) }
    if let directory = file?.socketDirectory {
      SocketDirectory.removeIfEmpty(directory, of: socketDirectoryName)
    }
    return true
  }

  /// Ends what a killed server has left running, and removes its shared memory.
  ///
  /// - Throws: ``PGError`` `-Cout` if a process stays.
  func end(_ company: ServerProcesses, _ memory: SharedMemory?) throws(PGError) {
    guard company.end(by: .after(Self.companyPatience)) else {
      throw .clusterTimeout(
        "processes of the killed server in \"\(dataDirectory.path)\" still run: \(company)")
    }
    memory?.remove()
  }

  /// How a directory is called that was made for its sockets.
  var socketDirectoryName: String? { try? SocketDirectory.name(for: dataDirectory.path) }

  private func stillThere(_ pid: Int32, _ mode: ShutdownMode) -> PGError {
    .clusterTimeout(
      "the server in \"\(dataDirectory.path)\" (process \(pid)) did not stop in time",
      hint: mode == .smart
        ? "It waits for its clients to leave; ask with mode fast to disconnect them."
        : "Ask with mode immediate, or have it killed.")
  }

  /// The server's process with what its file says.
  ///
  /// The process is held fast before the file is believed, so that a signal cannot meet another
  /// one that got its number. A child of ours may run without having written its file.
  private func runningServer() throws(PGError) -> (ProcessHandle, PostmasterFile?)? {
    if case .running(let first) = try status() {
      let server = ProcessHandle(first.processID)
      if case .running(let file) = try status(), file.processID == server.pid {
        return (server, file)
      }
    }
    guard let child = started.withLock({ $0?.child }), child.wait(until: .after(.zero)) == nil
    else { return nil }
    return (ProcessHandle(child.pid), nil)
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

  /// Kills the server at once, and does not wait for that; the next start recovers from the log.
  ///
  /// What it leaves, such as shared memory, goes with that start, or with ``drop(includesTablespaces:)``.
  ///
  /// - Returns: Whether there was one.
  /// - Throws: ``PGError`` `-C000` if the system refuses.
  ///
  /// In py-postgresql: `Cluster.kill()`.
  @discardableResult
  public func kill() throws(PGError) -> Bool {
    guard let (server, _) = try runningServer() else { return false }
    try send(SIGKILL, to: server)
    return true
  }

  /// Tells the server to disconnect its clients and end, and does not wait for that.
  ///
  /// - Returns: Whether there was one.
  /// - Throws: ``PGError`` `-C000` if the system refuses.
  ///
  /// In py-postgresql: `Cluster.shutdown()`.
  @discardableResult
  public func shutdown() throws(PGError) -> Bool {
    guard let (server, _) = try runningServer() else { return false }
    try send(ShutdownMode.fast.signal, to: server)
    return true
  }

  /// Waits until the server is gone.
  ///
  /// - Throws: ``PGError`` `-Cout` if it is still there when the time is over.
  ///
  /// In py-postgresql: `Cluster.wait_until_stopped()`.
  public func waitUntilStopped(_ patience: Duration = .seconds(10)) throws(PGError) {
    guard let (server, _) = try runningServer() else { return }
    if hasEnded(server, by: .after(patience)) { return }
    throw stillThere(server.pid, .fast)
  }

  /// Waits until a login succeeds on the running server, or is refused by it.
  ///
  /// ``start(_:)`` has done so already; this is for a server that somebody else starts.
  ///
  /// - Throws: ``PGError`` `-Cdwn` if no server runs, or runs any more; `-Cout` if it is not ready when
  ///   the time is over.
  ///
  /// In py-postgresql: `Cluster.wait_until_started()`, `ready_for_connections()`.
  public func waitUntilStarted(_ patience: Duration = .seconds(10)) throws(PGError) {
    let deadline = Deadline.after(patience)
    while true {
      guard try runningServer() != nil else {
        throw .clusterNotRunning("no server runs in \"\(dataDirectory.path)\"")
      }
      var obstacle = "it does not say yet where it listens"
      if let address = try? address() {
        switch Self.loginAnswer(at: address, "template1", until: deadline) {
        case .refused, .dataDirectory: return
        case .notYet(let reason): obstacle = reason
        }
      }
      if deadline.hasPassed {
        throw .clusterTimeout(
          "the server in \"\(dataDirectory.path)\" was not ready in time: \(obstacle)")
      }
      Syscalls.pause(.milliseconds(20))
    }
  }

  /// Has the server read its configuration again.
  ///
  /// - Throws: ``PGError`` `-Cdwn` if no server runs.
  ///
  /// In py-postgresql: `Cluster.reload()`.
  public func reload() throws(PGError) {
    guard let (server, _) = try runningServer() else {
      throw .clusterNotRunning("no server runs in \"\(dataDirectory.path)\"")
    }
    try send(SIGHUP, to: server)
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
      guard let ending = child.wait(until: deadline) else { return false }
      forget(ending)
      return true
    }
    return server.hasEnded(by: deadline)
  }
}
