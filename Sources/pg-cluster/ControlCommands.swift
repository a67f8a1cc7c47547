internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-cluster reload DIR`.
struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Have a cluster's server read its configuration again.")

  @OptionGroup var installation: InstallationOptions
  @OptionGroup var cluster: ClusterArgument

  func run() throws {
    try ClusterCommand.attempt { () throws(PGError) in
      try installation.cluster(cluster.data.path).reload()
    }
    ClusterCommand.note("told to reload")
  }
}

/// `pg-cluster restart DIR`.
struct RestartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restart", abstract: "Stop a cluster's server if it runs, and start it.",
    discussion: """
      Without --set, --tcp and --configured it is started as it was last, at the same port.
      """)

  @OptionGroup var start: StartArguments

  @Option(help: "How it is asked to stop: smart, fast or immediate.")
  var mode = StopMode.fast

  @Option(
    help: ArgumentHelp("How long until it is asked more firmly.", valueName: "duration"))
  var stopTimeout = DurationArgument(seconds: 30)

  func run() throws {
    let iri = try ClusterCommand.attempt { () throws(PGError) in
      let cluster = try start.cluster()
      let options = start.options(elseAs: cluster.lastStartOptions)
      try cluster.restart(mode.shutdown, wait: stopTimeout.duration, options)
      return try cluster.iri()
    }
    start.remember()
    ClusterCommand.note("restarted: \(iri)")
  }
}

/// `pg-cluster logs DIR`.
struct LogsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Print what a cluster's server has logged.")

  /// How often is looked for more.
  private static let pause: Int32 = 200

  @OptionGroup var cluster: ClusterArgument

  @Flag(name: [.customShort("f"), .customLong("follow")], help: "Go on while the server runs.")
  var follow = false

  @Option(
    name: .customLong("log"),
    help: ArgumentHelp("The file, if the server writes elsewhere.", valueName: "file"),
    completion: .file())
  var path: String?

  func run() throws {
    let path = path ?? cluster.logFile
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw ClusterCommand.failure(
        .localFailure, "could not open \"\(path)\": \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    var isRunning = true
    while isRunning {
      // Asked first: what the server writes last is then still read.
      isRunning = follow ? self.isRunning : false
      try copy(descriptor)
      if isRunning { try pause() }
    }
  }

  private var isRunning: Bool {
    if case .running? = try? cluster.data.status() { return true }
    return false
  }

  private func copy(_ descriptor: CInt) throws {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count <= 0 { break }
      try buffer.withUnsafeBytes { bytes in
        try StandardOutput.shared.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      }
    }
    try StandardOutput.shared.flush()
  }

  /// Waits; a reader who has gone ends the program at once rather than with the next line.
  private func pause() throws {
    var entry = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
    if poll(&entry, 1, Self.pause) > 0, entry.revents & Int16(POLLERR) != 0 {
      Signals.endProcess(by: SIGPIPE)
    }
  }
}

/// `pg-cluster wait IRI`.
struct WaitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait",
    abstract: "Wait until a login succeeds on a server, wherever it is.",
    discussion: "The status is 4 if it does not in time, 2 if the server refuses for good.")

  /// How often it is tried.
  private static let pause = Duration.milliseconds(50)

  @Option(help: ArgumentHelp("How long to wait.", valueName: "duration"))
  var timeout = DurationArgument(seconds: 60)

  @Argument(help: ArgumentHelp("The IRI, or a keyword string.", valueName: "iri"))
  var iri: String

  func run() throws {
    let deadline = Deadline.after(timeout.duration)
    let connector = Connector(try Connecting(program: ClusterCommand.program).options(iri: iri))
    while true {
      do throws(PGError) {
        try connector.connect(until: deadline).close()
        return
      } catch {
        if error.fault == .server, error.code != .cannotConnectNow {
          throw error.failure(of: ClusterCommand.program, status: .connection)
        }
        if deadline.hasPassed {
          throw error.failure(of: ClusterCommand.program, status: .deadline)
        }
      }
      poll(nil, 0, Deadline.after(Self.pause).earlier(deadline).pollTimeout)
    }
  }
}

/// `pg-cluster versions`.
struct VersionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "versions", abstract: "Print every PostgreSQL that is found, and why it is.")

  @Flag(help: "Print one JSON array.")
  var json = false

  func run() throws {
    let found = Installation.all()
    guard !found.isEmpty else {
      if json { try StandardOutput.shared.write("[]\n") }
      throw ClusterCommand.failure(.negative, "no PostgreSQL server was found")
    }
    let lines = found.map { installation in
      json
        ? "{\"version\": \(JSONText.quoted(installation.version)), "
          + "\"major\": \(JSONText.quoted(installation.majorVersion)), "
          + "\"bindir\": \(JSONText.quoted(installation.binaryDirectory)), "
          + "\"reason\": \(JSONText.quoted(installation.reason))}"
        : "\(installation.majorVersion)\t\(installation.binaryDirectory)\t"
          + "\(installation.version)\t(\(installation.reason))"
    }
    try StandardOutput.shared.write(
      json ? "[" + lines.joined(separator: ",\n ") + "]\n" : lines.map { $0 + "\n" }.joined())
  }
}
