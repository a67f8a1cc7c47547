internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGKit
internal import Synchronization

/// `pg-cluster run -- COMMAND…`: a throwaway cluster for one command.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a command with a throwaway cluster; it is gone when the command ends.",
    discussion: """
      The command finds it in PGKIT_IRI, DATABASE_URL, PGHOST, PGPORT, PGUSER, PGDATABASE and \
      PGPASSWORD; variables that lead elsewhere are unset. INT, TERM and HUP are passed on to it. \
      The status is the command's; 128 + n if signal n ended it.
      """)

  /// How often it is looked whether that time is over, or the command was stopped; its end is noticed at
  /// once.
  private static let look = Duration.milliseconds(250)

  @OptionGroup var throwaway: ThrowawayOptions

  @Flag(help: "Do not remove the cluster; say where it is.")
  var keep = false

  @Flag(help: "Keep the cluster if the command fails, and say how to enter it.")
  var keepOnFailure = false

  @Option(
    help: ArgumentHelp(
      "How long the command may take to end after a signal.", valueName: "duration"))
  var grace = usualGrace

  private static let usualGrace = DurationArgument(seconds: 5)

  @Option(
    help: ArgumentHelp(
      "If the command fails, show so many lines of what the server has logged since it was ready.",
      valueName: "lines"))
  var logTail = usualLogTail

  private static let usualLogTail = 20

  @Flag(help: "Say on stderr how long each step took.")
  var times = false

  @Option(
    help: ArgumentHelp(
      "Run the command once for each of these major versions, at the same time; or all.",
      valueName: "15,16,…"))
  var versions: String?

  @Option(
    help: ArgumentHelp(
      "Where to write how --versions fared: NAME.xml for JUnit, NAME.tap for TAP.",
      valueName: "file"), completion: .file())
  var report: String?

  /// A pipe that ends with the program for which this one runs, as one of `--versions`.
  @Option(name: .customLong("owner-descriptor"), help: .hidden)
  var owner: CInt?

  @Argument(
    parsing: .postTerminator, help: ArgumentHelp("The command, after --.", valueName: "command"))
  var command: [String]

  func validate() throws {
    if logTail < 0 { throw ValidationError("--log-tail takes a number from 0 on") }
    if command.isEmpty { throw ValidationError("no command is given; write it after --") }
    if versions != nil, throwaway.installation.installation != nil {
      throw ValidationError("--versions and --pg both name servers; give one of them")
    }
    if let report {
      if versions == nil { throw ValidationError("--report tells of --versions; give both") }
      guard MatrixReport.knows(report) else {
        throw ValidationError("--report takes a name that ends in .xml (JUnit) or .tap (TAP)")
      }
    }
    if versions != nil, let pipe = throwaway.seeds.first(where: Self.isPipe) {
      throw ValidationError(
        "--versions reads seeds once for each version, and \(pipe) can be read only once")
    }
  }

  private static func isPipe(_ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFIFO
  }

  func run() throws {
    let program = try CommandPath.find(command[0], for: ClusterCommand.program)
    if let versions {
      var matrix = try RunMatrix(
        versions, report: report.map { MatrixReport($0, command: command) })
      try matrix.run()
    }
    if let owner { _ = fcntl(owner, F_SETFD, FD_CLOEXEC) }
    let shared = SharedState()
    let grace = grace.duration
    Signals.handle([SIGINT, SIGTERM, SIGHUP], before: { shared.kill() }) { signal in
      shared.pass(on: signal)
      // A seed may be read from a pipe that nobody writes, or take long. The supervisor removes what
      // there is by then.
      if shared.staysUnmade(for: grace) { Signals.endProcess(by: signal) }
    }
    let cluster = try ClusterCommand.attempt(orEndWith: .ownPartFailed) { () throws(PGError) in
      defer { shared.noteMade() }
      return try throwaway.make()
    }
    if let signal = shared.signal {
      try close(cluster, keeping: false)
      Signals.endProcess(by: signal)
    }
    let ending: ProcessEnding
    do { ending = try run(program, cluster, shared) } catch {
      try close(cluster, keeping: false)
      throw error
    }
    if !ending.isSuccess { sayLog(cluster) }
    try close(cluster, keeping: keep || keepOnFailure && !ending.isSuccess)
    if times { sayTimes(cluster) }
    Program.end(rawStatus: ending.shellStatus, program: ClusterCommand.program)
  }

  private func run(
    _ program: String, _ cluster: TemporaryCluster, _ shared: SharedState
  ) throws(Failure) -> ProcessEnding {
    let started = try ClusterCommand.attempt(orEndWith: .ownPartFailed) { () throws(PGError) in
      var launch = ProcessLaunch(
        program, Array(command.dropFirst()), environment: try cluster.childEnvironment())
      launch.input = .descriptor(STDIN_FILENO)
      launch.output = .descriptor(STDOUT_FILENO)
      launch.error = .descriptor(STDERR_FILENO)
      launch.group = .own(terminal: isatty(STDIN_FILENO) == 1 ? STDIN_FILENO : nil)
      launch.inheritsDescriptors = true
      launch.inheritsIgnoredSignals = true
      // Even if the supervisor is killed with this program.
      launch.endsWithThread = true
      return try cluster.start(launch)
    }
    shared.begin(started)
    defer { shared.end() }
    var hasWarned = false
    while true {
      if let ending = started.wait(until: .after(Self.look)) { return ending }
      if shared.signal == nil, isAbandoned { shared.pass(on: SIGTERM) }
      if shared.isOverdue(by: grace.duration) { shared.kill() }
      if started.takeStop() { Terminal.stop(with: started) }
      if !hasWarned, let room = cluster.lowRoom {
        hasWarned = true
        ClusterCommand.note(
          "memory runs low: \(room >> 20) MB are left for the cluster; --storage disk has more room"
        )
      }
    }
  }

  /// Whether the program for which this one runs was killed.
  private var isAbandoned: Bool {
    guard let owner else { return false }
    var entry = pollfd(fd: owner, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, 0) > 0
  }

  /// That this fails is never the command's status.
  private func close(_ cluster: TemporaryCluster, keeping: Bool) throws(Failure) {
    try ClusterCommand.attempt(orEndWith: .ownPartFailed) { () throws(PGError) in
      guard keeping else { return try cluster.close() }
      let iri = try cluster.iri(scheme: "postgres")
      try cluster.keep()
      ClusterCommand.note("kept in \(cluster.directory): psql '\(iri)'")
      ClusterCommand.note(
        "to be rid of it: pg-cluster stop \(cluster.directory) --mode immediate && "
          + "pg-cluster drop \(cluster.directory)")
    }
  }

  /// What the server has said may explain why the command has failed.
  private func sayLog(_ cluster: TemporaryCluster) {
    let lines = cluster.logTail(logTail)
    if !lines.isEmpty {
      ClusterCommand.note(
        (["what the server has logged last:"] + lines).joined(separator: "\n  "))
    }
    let server = cluster.cluster.installation.binaryDirectory + "/postgres"
    for line in Backtrace.all(in: cluster.cluster.dataDirectory, of: server) {
      ClusterCommand.note(line)
    }
  }

  private func sayTimes(_ cluster: TemporaryCluster) {
    for step in cluster.times.steps {
      let (seconds, attoseconds) = step.duration.components
      let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
      ClusterCommand.note("\(microseconds) us: \(step.name)")
    }
  }
}

extension RunCommand: PlainFlags {
  static var none: RunCommand {
    var command = RunCommand()
    command.throwaway = .none
    command.keep = false
    command.keepOnFailure = false
    command.grace = usualGrace
    command.logTail = usualLogTail
    command.times = false
    command.versions = nil
    command.report = nil
    command.owner = nil
    command.command = []
    return command
  }
}

/// What the thread that takes the signals shares with the one that waits for the command.
private final class SharedState: Sendable {
  private struct State {
    var child: ChildProcess?
    var signal: CInt?
    var since: ContinuousClock.Instant?
    /// Whether the cluster is made, or could not be.
    var isMade = false
  }

  private let state = Mutex(State())

  /// How often it is looked whether the cluster is made.
  private static let look = Duration.milliseconds(50)

  /// The cluster is made, or could not be.
  func noteMade() { state.withLock { $0.isMade = true } }

  /// Whether the cluster is still not made after `grace`.
  func staysUnmade(for grace: Duration) -> Bool {
    let end = ContinuousClock.now + grace
    while !state.withLock({ $0.isMade }) {
      if ContinuousClock.now >= end { return true }
      poll(nil, 0, Int32(Self.look.wholeMilliseconds))
    }
    return false
  }

  /// The signal that came, if one did.
  var signal: CInt? { state.withLock { $0.signal } }

  /// Whether the signal came longer ago than `grace`.
  func isOverdue(by grace: Duration) -> Bool {
    state.withLock { $0.since.map { ContinuousClock.now - $0 > grace } ?? false }
  }

  /// Passes a signal on to the command's process group, now or as soon as there is one.
  func pass(on signal: CInt) {
    state.withLock { state in
      state.signal = signal
      state.since = .now
      if let child = state.child { _ = Glibc.kill(-child.pid, signal) }
    }
  }

  /// The command has ended; its number may soon be somebody else's.
  func end() { state.withLock { $0.child = nil } }

  /// Ends the command with all that it has started.
  func kill() {
    state.withLock { state in
      if let child = state.child { _ = Glibc.kill(-child.pid, SIGKILL) }
    }
  }

  /// Says which process is the command.
  func begin(_ child: ChildProcess) {
    state.withLock { state in
      state.child = child
      if let signal = state.signal { _ = Glibc.kill(-child.pid, signal) }
    }
  }
}
