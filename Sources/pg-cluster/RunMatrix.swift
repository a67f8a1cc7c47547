internal import Glibc
internal import PGCommandLine
internal import PGKit
internal import Synchronization

/// One command on several versions at once: this program runs itself once for each, and reports.
///
/// What a run writes is kept until it has ended and then written as one piece, so that outputs do
/// not mix. Standard input is empty for all.
struct RunMatrix {
  private let installations: [Installation]
  /// A pipe that ends with this program: the end that runs look at, and the one that only it holds.
  private let life: (reading: CInt, writing: CInt)

  /// One version's run.
  private struct Run {
    let installation: Installation
    let child: ChildProcess
    let output: CInt
    let begin: ContinuousClock.Instant
  }

  /// Looks the versions up; `all` is every one that is found.
  ///
  /// - Throws: ``Failure`` with status 125 if one of them is not here.
  init(_ versions: String) throws(Failure) {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0, fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0 else {
      throw ClusterCommand.failure(.ownPartFailed, "could not open a pipe")
    }
    life = (ends[0], ends[1])
    installations = try ClusterCommand.attempt(orEndWith: .ownPartFailed) { () throws(PGError) in
      if versions == "all" { return Self.eachMajor(Installation.all()) }
      var found: [Installation] = []
      for name in versions.split(separator: ",") { found.append(try .find(String(name))) }
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
  func run() throws -> Never {
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
    for run in runs {
      let ending = run.child.wait() ?? .unknown
      try report(run, ending)
      worst = max(worst, ending.shellStatus)
    }
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
    // Without a name, so that nobody has to remove it.
    let file = tmpfile()
    let output = file.map { fcntl(fileno($0), F_DUPFD_CLOEXEC, 3) } ?? -1
    if let file { fclose(file) }
    guard output >= 0 else {
      throw ClusterCommand.failure(.ownPartFailed, "could not keep a run's output")
    }
    let child = try ClusterCommand.attempt(orEndWith: .ownPartFailed) { () throws(PGError) in
      var launch = ProcessLaunch(
        "/proc/self/exe", arguments(for: installation), environment: ProcessEnvironment.variables)
      launch.output = .descriptor(output)
      launch.error = .descriptor(output)
      launch.group = .own(terminal: nil)
      launch.inheritsDescriptors = true
      return try launch.start()
    }
    return Run(installation: installation, child: child, output: output, begin: .now)
  }

  /// Our own arguments with one server instead of several.
  private func arguments(for installation: Installation) -> [String] {
    let all = Array(CommandLine.arguments.dropFirst())
    let own = all.prefix { $0 != "--" }
    var result: [String] = []
    var skips = false
    for argument in own {
      defer { skips = argument == "--versions" }
      if skips || argument == "--versions" || argument.hasPrefix("--versions=") { continue }
      result.append(argument)
    }
    result += ["--pg", installation.binaryDirectory, "--owner-descriptor", "\(life.reading)"]
    return result + all.dropFirst(own.count)
  }

  private func report(_ run: Run, _ ending: ProcessEnding) throws {
    let (seconds, attoseconds) = (ContinuousClock.now - run.begin).components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    let title = "PostgreSQL \(run.installation.version)"
    let isWorkflow = getenv("GITHUB_ACTIONS").map { String(cString: $0) } == "true"
    try StandardOutput.shared.write(isWorkflow ? "::group::\(title)\n" : "== \(title)\n")
    lseek(run.output, 0, SEEK_SET)
    var buffer = [UInt8](repeating: 0, count: 65_536)
    var last = UInt8(ascii: "\n")
    while true {
      let count = read(run.output, &buffer, buffer.count)
      if count <= 0 { break }
      try buffer.withUnsafeBytes { bytes in
        try StandardOutput.shared.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
      }
      last = buffer[count - 1]
    }
    close(run.output)
    if last != UInt8(ascii: "\n") { try StandardOutput.shared.write("\n") }
    if isWorkflow { try StandardOutput.shared.write("::endgroup::\n") }
    try StandardOutput.shared.flush()
    ClusterCommand.note(
      "\(run.installation.majorVersion): \(ending.isSuccess ? "passed" : "\(ending)"), "
        + "\(milliseconds) ms")
  }
}
