internal import Glibc
internal import PGCommandLine
internal import PGKit
internal import Synchronization

/// One command on several versions at once: this program runs itself once for each, and reports.
///
/// What a run writes is kept until it has ended and then written as one piece, so that outputs do
/// not mix; what it says on stdout goes to stdout, and everything else to stderr. Standard input is empty
/// for all.
struct RunMatrix {
  private let installations: [Installation]
  /// A pipe that ends with this program: the end that runs look at, and the one that only it holds.
  private let life: (reading: CInt, writing: CInt)
  private var report: MatrixReport?

  /// How often it is looked whether a run has ended that leaves its outputs open.
  private static let look: CInt = 100
  /// And one that has closed them, which is mostly about to end.
  private static let lastLook: CInt = 5

  /// One version's run.
  private struct Run {
    let installation: Installation
    let child: ChildProcess
    let output: RunOutput
    let begin: ContinuousClock.Instant
  }

  /// Looks the versions up; `all` is every one that is found.
  ///
  /// - Throws: ``Failure`` with status 125 if one of them is not here.
  init(_ versions: String, report: MatrixReport?) throws(Failure) {
    self.report = report
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0, fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0 else {
      throw ClusterCommand.failure(.ownPartFailed, "could not open a pipe")
    }
    life = (ends[0], ends[1])
    installations = try ClusterCommand.attempt(orEndWith: .ownPartFailed) { () throws(PGError) in
      if versions == "all" { return Self.eachMajor(Installation.all()) }
      var found: [Installation] = []
      for name in versions.split(separator: ",") {
        let one = try Installation.find(String(name))
        // Named twice it still needs to be tried only once.
        if !found.contains(where: { $0.binaryDirectory == one.binaryDirectory }) {
          found.append(one)
        }
      }
      return found
    }
    guard !installations.isEmpty else {
      throw ClusterCommand.failure(.ownPartFailed, "--versions names no version that is here")
    }
  }

  private static func eachMajor(_ all: [Installation]) -> [Installation] {
    var seen: Set<String> = []
    return all.filter { seen.insert($0.majorVersion).inserted }
  }

  /// Runs the command with each, and ends the program with the worst of their statuses.
  mutating func run() throws -> Never {
    let shared = Shared()
    Signals.handle([SIGINT, SIGTERM, SIGHUP], before: { shared.send(SIGKILL) }) { shared.send($0) }
    var runs: [Run] = []
    do {
      for installation in installations where shared.signal == nil {
        let run = try start(installation)
        shared.add(run.child)
        runs.append(run)
      }
    } catch {
      // Those that have begun have clusters of their own to be rid of.
      shared.send(SIGTERM)
      for run in runs { _ = run.child.wait() }
      throw error
    }
    var worst: Int32 = 0
    for (index, run) in runs.enumerated() {
      var ending = run.child.wait(until: .after(.zero))
      while ending == nil {
        let patience = run.output.isOver ? Self.lastLook : Self.look
        try RunOutput.take(from: runs[index...].map(\.output), patience: patience)
        ending = run.child.wait(until: .after(.zero))
      }
      try tell(run, ending ?? .unknown)
      worst = max(worst, (ending ?? .unknown).shellStatus)
    }
    try report?.write()
    if let signal = shared.signal { Signals.endProcess(by: signal) }
    Program.end(rawStatus: worst, program: ClusterCommand.program)
  }

  /// What the thread that takes the signals needs.
  private final class Shared: Sendable {
    private let state = Mutex<(children: [ChildProcess], signal: CInt?)>(([], nil))

    var signal: CInt? { state.withLock { $0.signal } }

    /// Adds a run, and passes on what came while it was started.
    func add(_ child: ChildProcess) {
      state.withLock { state in
        state.children.append(child)
        if let signal = state.signal { try? child.send(signal) }
      }
    }

    /// Passes a signal on to whichever runs have not ended; a number that was collected is nobody's.
    func send(_ signal: CInt) {
      state.withLock { state in
        state.signal = signal
        for child in state.children { try? child.send(signal) }
      }
    }
  }

  private func start(_ installation: Installation) throws -> Run {
    let output = try RunOutput()
    var child: ChildProcess?
    try output.collect { stdout, stderr in
      child = try ClusterCommand.attempt(orEndWith: .ownPartFailed) { () throws(PGError) in
        var launch = ProcessLaunch(
          "/proc/self/exe", arguments(for: installation), environment: ProcessEnvironment.variables)
        launch.output = .descriptor(stdout)
        launch.error = .descriptor(stderr)
        launch.group = .own(terminal: nil)
        launch.inheritsDescriptors = true
        return try launch.start()
      }
    }
    guard let child else { throw ClusterCommand.failure(.ownPartFailed, "no run was started") }
    return Run(installation: installation, child: child, output: output, begin: .now)
  }

  /// The options that are not for each version's run.
  private static let own = ["--versions", "--report"]

  /// Our own arguments with one server instead of several.
  private func arguments(for installation: Installation) -> [String] {
    let all = Array(CommandLine.arguments.dropFirst())
    let own = all.prefix { $0 != "--" }
    var result: [String] = []
    var skips = false
    for argument in own {
      let isOurs = Self.own.contains { argument == $0 || argument.hasPrefix($0 + "=") }
      defer { skips = !skips && Self.own.contains(argument) }
      if skips || isOurs { continue }
      result.append(argument)
    }
    result += ["--pg", installation.binaryDirectory, "--owner-descriptor", "\(life.reading)"]
    return result + all.dropFirst(own.count)
  }

  private mutating func tell(_ run: Run, _ ending: ProcessEnding) throws {
    let milliseconds = (ContinuousClock.now - run.begin).wholeMilliseconds
    try run.output.finish()
    let title = "PostgreSQL \(run.installation.version)"
    let isWorkflow = getenv("GITHUB_ACTIONS").map { String(cString: $0) } == "true"
    StandardError.print(isWorkflow ? "::group::\(title)" : "== \(title)")
    try run.output.show()
    if isWorkflow { StandardError.print("::endgroup::") }
    ClusterCommand.note(
      "\(run.installation.majorVersion): \(ending.isSuccess ? "passed" : "\(ending)"), "
        + "\(milliseconds) ms")
    report?.add(
      .init(
        version: run.installation.version, ending: ending, milliseconds: milliseconds,
        words: ending.isSuccess ? "" : run.output.tail(MatrixReport.mostWords)))
  }
}
