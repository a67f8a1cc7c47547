import Foundation
import Glibc

/// One of the built programs, started as a shell would start it.
///
/// stdout and stderr are files, so that neither the program nor the test waits for the other.
struct BuiltProgram {
  /// What the program's stdin is.
  enum Input {
    case bytes([UInt8])
    case closed
    /// A pipe that the test keeps open, and writes to with ``RunningProgram/send(_:)``.
    case open

    static func text(_ text: String) -> Input { .bytes(Array(text.utf8)) }
    static var none: Input { .bytes([]) }
  }

  /// What the program's stdout is.
  enum Output {
    case captured
    case closed
    /// `/dev/full`: every write fails with "No space left on device".
    case full
    /// A pipe whose reader has gone.
    case brokenPipe
    /// A pipe that does not block and is read slowly.
    case slowPipe
    /// A pipe that nobody reads.
    case unreadPipe
  }

  /// What a shell would put into `$?`, in words.
  enum End: Equatable, CustomStringConvertible {
    case exit(Int32)
    case signal(Int32)

    var description: String {
      switch self {
      case .exit(let status): "exit \(status)"
      case .signal(let number): "signal \(number)"
      }
    }
  }

  /// What a run left behind.
  struct Outcome {
    let end: End
    let output: String
    let errors: String
    /// The most memory that it ever had, in KiB.
    let peakMemory: Int
    /// How often it was given a page of memory, or another one for it.
    let pageFaults: Int
    var lines: [Substring] { output.split(separator: "\n") }
  }

  /// What went wrong with a run, as opposed to in it.
  struct Fault: Error, CustomStringConvertible { let description: String }

  static let errorCode = BuiltProgram("pg-errcode")

  let path: String

  /// Finds the program beside the tests that are running.
  init(_ name: String) {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let root = URL(filePath: #filePath).appending(path: "../../..").standardized
    let given = ProcessInfo.processInfo.environment["PGKIT_BIN_DIR"].map { URL(filePath: $0) }
    let folders =
      (given.map { [$0] } ?? []) + [
        URL(filePath: own).deletingLastPathComponent(),
        URL(filePath: CommandLine.arguments.first ?? "").deletingLastPathComponent(),
        root.appending(path: ".build/debug"), root.appending(path: ".build/release"),
      ]
    let candidates = folders.map { $0.appending(path: name).path }
    path = candidates.first { access($0, X_OK) == 0 } ?? name
  }

  /// A program of the system.
  init(absolute path: String) { self.path = path }

  /// Runs the program to its end.
  ///
  /// - Parameter environment: The whole environment; `nil` is that of the tests.
  func run(
    _ arguments: [String], input: Input = .none, output: Output = .captured,
    environment: [String: String]? = nil, timeout: Duration = .seconds(60)
  ) throws -> Outcome {
    let running = try start(arguments, input: input, output: output, environment: environment)
    return try running.wait(timeout: timeout)
  }

  /// The tests' environment, without what changes the form of messages in a workflow.
  static let ownEnvironment = ProcessInfo.processInfo.environment.filter {
    $0.key != "GITHUB_ACTIONS"
  }

  /// One start at a time: a pipe that another program inherits would never end.
  private static let starting = NSLock()

  /// Starts the program.
  func start(
    _ arguments: [String], input: Input = .none, output: Output = .captured,
    environment: [String: String]? = nil
  ) throws -> RunningProgram {
    Self.starting.lock()
    defer { Self.starting.unlock() }
    let streams = try StandardStreams(input, output)
    defer { streams.closeChildSide() }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var defaults = sigset_t()
    sigfillset(&defaults)
    var mask = sigset_t()
    sigemptyset(&mask)
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setsigmask(&attributes, &mask)
    let flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
    posix_spawnattr_setflags(&attributes, Int16(flags))
    var actions = streams.actions()
    defer { posix_spawn_file_actions_destroy(&actions) }
    var process: pid_t = 0
    let variables = environment ?? Self.ownEnvironment
    let fault = withCStrings([path] + arguments) { arguments in
      withCStrings(variables.map { "\($0.key)=\($0.value)" }) { variables in
        posix_spawn(&process, path, &actions, &attributes, arguments, variables)
      }
    }
    guard fault == 0 else {
      throw Fault(description: "\(path): \(String(cString: strerror(fault)))")
    }
    return RunningProgram(process: process, streams: streams)
  }

  private func withCStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
  ) -> Result {
    let copies = strings.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    return body(copies + [nil])
  }
}
