internal import PGErrorCodes
internal import Synchronization

extension Cluster {
  /// Where a server listens besides its socket.
  public enum Listening: Sendable, Hashable {
    /// Nowhere: only processes that may enter the socket's directory reach it.
    case socketOnly
    /// On 127.0.0.1, at a port that is free or at the one given.
    case loopback(port: Int?)
    /// As the cluster's own configuration says; so are its sockets.
    case configured
  }

  /// How a server is started.
  public struct StartOptions: Sendable {
    /// Settings for this run, over those of the configuration.
    public var settings: [ConnectionOptions.Setting] = []
    /// Where it listens besides its socket.
    public var listening = Listening.socketOnly
    /// The directory for its socket; by default a short one is made, open to its user alone.
    public var socketDirectory: String?
    /// Where its output goes; by default `server.log` in the data directory.
    ///
    /// Links are refused.
    public var logFile: String?
    /// As whom readiness is tried; by default as the caller's own name.
    public var user: String?
    /// The password for that.
    public var password: String?
    /// How long it may take until a login succeeds.
    public var wait = Duration.seconds(60)
    /// The database that readiness is tried in.
    var database = "template1"
    /// Whether readiness is tried through the socket even if the server listens elsewhere.
    var probesSocket = false
    /// What is done while the server starts.
    var meanwhile: (@Sendable () throws(PGError) -> Void)?
    /// Who measures.
    var times: StepTimes?

    /// Makes the default options.
    public init() {}
  }

  /// How often another port is tried after somebody else took the first.
  private static let portAttempts = 5

  /// How long a server that did not turn out right may take to end, before it is killed.
  private static let failurePatience = Duration.seconds(5)

  /// How long the processes that a killed server has left may take to end, before a start is tried all
  /// the same.
  private static let formerPatience = Duration.seconds(10)

  /// Starts the server and waits until a login succeeds on it.
  ///
  /// The server has its own session, no input, its output in the log and no other descriptor, so
  /// it holds nothing of the caller. If it answers under somebody else's data directory, or ends,
  /// that is noticed at once. What a killed server has left running is waited for.
  ///
  /// - Returns: Whether a server was started; `false` if one runs already.
  /// - Throws: ``PGError`` `-Cbot` with the log's first fatal message if the server ends, `-Cout`
  ///   if it takes too long (it is then left to go on), `-C000` if it could not be tried.
  ///
  /// In py-postgresql: `Cluster.start()`, `wait_until_started()`.
  @discardableResult
  public func start(_ options: StartOptions = StartOptions()) throws(PGError) -> Bool {
    if try isRunning() { return false }
    try checkVersion()
    let deadline = Deadline.after(options.wait)
    return try StartLock.hold(on: dataDirectory, until: deadline) { () throws(PGError) in
      if try isRunning() { return false }
      try start(options, until: deadline)
      return true
    }
  }

  private func start(_ options: StartOptions, until deadline: Deadline) throws(PGError) {
    let plan = try plan(options)
    do throws(PGError) {
      try start(plan, options, until: deadline)
    } catch {
      let explanation = explained(error, port: port(options))
      if case .stopped? = try? status(), let directory = plan.madeSocketDirectory {
        SocketDirectory.removeIfEmpty(directory, of: socketDirectoryName)
      }
      throw explanation
    }
  }

  /// The port of TCP that was asked for, wherever.
  private func port(_ options: StartOptions) -> Int? {
    switch options.listening {
    case .socketOnly: nil
    case .loopback(let port): port
    case .configured: (try? configuration())?["port"].flatMap { Int($0) } ?? 5432
    }
  }

  /// - Throws: ``PGError`` `-C000` if there is nothing that could run.
  private func isRunning() throws(PGError) -> Bool {
    switch try status() {
    case .running: return true
    case .stopped: return false
    case .missing, .uninitialized:
      throw .cluster("there is no cluster in \"\(dataDirectory.path)\"")
    }
  }

  private func checkVersion() throws(PGError) {
    guard let version = dataDirectory.version, version != installation.majorVersion else { return }
    throw .clusterStartup(
      "the cluster in \"\(dataDirectory.path)\" is of PostgreSQL \(version), "
        + "the server of \(installation.version)",
      hint: "Choose the installation of version \(version), or upgrade with pg_upgrade.")
  }

  /// What is decided before a server is started.
  private struct StartPlan {
    let user: ServerUser?
    let socketDirectory: String?
    let madeSocketDirectory: String?
    let logFile: String
  }

  private func plan(_ options: StartOptions) throws(PGError) -> StartPlan {
    let user = try serverUser()
    let logFile = options.logFile.map(AbsolutePath.text(of:)) ?? dataDirectory.path + "/server.log"
    for setting in options.settings { try Self.checkName(setting.name) }
    var directory = options.socketDirectory.map(AbsolutePath.text(of:))
    var made: String?
    if directory == nil, options.listening != .configured {
      made = try SocketDirectory.make(for: dataDirectory.path, user: user).path
      directory = made
    }
    if let directory { try SocketDirectory.checkLength(directory) }
    return StartPlan(
      user: user, socketDirectory: directory, madeSocketDirectory: made, logFile: logFile)
  }

  private func start(
    _ plan: StartPlan, _ options: StartOptions, until deadline: Deadline
  ) throws(PGError) {
    try awaitFormer(until: deadline)
    guard case .loopback(let wanted) = options.listening else {
      return try launch(plan, options, port: nil, until: deadline)
    }
    if let wanted { return try launch(plan, options, port: wanted, until: deadline) }
    for attempt in 1... {
      let port = try LoopbackPort.free()
      do throws(PGError) {
        return try launch(plan, options, port: port, until: deadline)
      } catch {
        // The log's language is not ours to read; whether the port is taken can be asked.
        let wasTaken = error.code == .clusterStartupError && !LoopbackPort.isFree(port)
        if !wasTaken || attempt >= Self.portAttempts { throw error }
      }
    }
  }

  /// Waits for the processes that a killed server has left: as long as one of them has its shared
  /// memory, another server refuses to start.
  ///
  /// Some need not have it, as that which writes the log; so it is tried in the end, and who remains is
  /// told if the server refuses.
  private func awaitFormer(until deadline: Deadline) throws(PGError) {
    // Who ends in order removes its file.
    guard dataDirectory.postmasterFile != nil else { return }
    let former = ServerProcesses(in: dataDirectory.path)
    if former.haveEnded(by: .after(Self.formerPatience).earlier(deadline)) { return }
    guard deadline.hasPassed else { return }
    throw .clusterTimeout(
      "the server for \"\(dataDirectory.path)\" was not started in time: "
        + "processes of its former server still run: \(former)",
      hint: "They end when they notice that it was killed; stopping with force ends them at once.")
  }

  private func launch(
    _ plan: StartPlan, _ options: StartOptions, port: Int?, until deadline: Deadline
  ) throws(PGError) {
    var arguments = ["-D", dataDirectory.path]
    for setting in settings(plan, options, port: port) {
      arguments += ["-c", "\(setting.name)=\(setting.value)"]
    }
    var launch = try launch("postgres", arguments, as: plan.user)
    launch.directory = dataDirectory.path
    launch.outputFile = plan.logFile
    let log = ServerLog(plan.logFile)
    let child = try launch.start()
    started.withLock { $0 = Started(child: child, address: nil) }
    do throws(PGError) {
      options.times?.end("launch")
      try options.meanwhile?()
      options.times?.end("copy the rest meanwhile")
      let file = try awaitFile(of: child, log, until: deadline)
      let address = address(file, options)
      started.withLock { $0?.address = address }
      options.times?.end("until it is ready")
      var probed = address
      if options.probesSocket, let directory = file.socketDirectory { probed.host = directory }
      try awaitLogin(child, probed, options.database, log, until: deadline)
      options.times?.end("first login")
    } catch {
      // One that is only slow goes on; one that is not what was asked for must not stay. One that has
      // ended leaves nothing to stop, and whoever else runs there is not ours. What went wrong first
      // is told.
      if error.code != .clusterTimeoutError, started.withLock({ $0 != nil }) {
        _ = try? stop(.immediate, wait: Self.failurePatience, force: true)
      }
      throw error
    }
  }

  private func settings(
    _ plan: StartPlan, _ options: StartOptions, port: Int?
  ) -> [ConnectionOptions.Setting] {
    var result: [ConnectionOptions.Setting] = []
    switch options.listening {
    case .configured: break
    case .socketOnly: result.append(.init("listen_addresses", ""))
    case .loopback: result.append(.init("listen_addresses", "127.0.0.1"))
    }
    if let directory = plan.socketDirectory {
      result.append(.init("unix_socket_directories", Self.listElement(directory)))
    }
    if let port { result.append(.init("port", String(port))) }
    // What the caller says comes last, and the last one counts.
    return result + options.settings
  }

  /// The setting is a list, in which a path with a comma or a blank must be quoted.
  private static func listElement(_ path: String) -> String {
    "\"" + path.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
      + "\""
  }

  private func address(_ file: PostmasterFile, _ options: StartOptions) -> ClusterAddress {
    var host = file.socketDirectory ?? "127.0.0.1"
    if case .loopback = options.listening { host = "127.0.0.1" }
    return ClusterAddress(
      host: host, port: file.port ?? 5432, user: options.user ?? ServerUser.callerName,
      password: options.password)
  }
}
