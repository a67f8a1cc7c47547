internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A program about to be started, with everything that it inherits.
public struct ProcessLaunch: Sendable {
  /// What becomes a standard descriptor of the child.
  public enum Stream: Sendable, Hashable {
    /// The null device.
    case null
    /// A descriptor of this process.
    case descriptor(Int32)
  }

  /// How the child stands to the terminal and to signals for its parent's process group.
  public enum Group: Sendable, Hashable {
    /// It stays in the parent's process group.
    case inherited
    /// It leads its own; with a terminal's descriptor, in the foreground there.
    case own(terminal: Int32?)
    /// It leads a session of its own, without a terminal.
    case session
  }

  /// The program's path.
  public var executable: String
  /// Its arguments, without its own name.
  public var arguments: [String]
  /// Its whole environment.
  public var environment: [String: String]
  /// Where it works; `nil` is where this process does.
  public var directory: String?
  /// Its standard input.
  public var input: Stream = .null
  /// Its standard output.
  public var output: Stream = .null
  /// Its standard error.
  public var error: Stream = .null
  /// A file that takes both outputs instead, opened for appending by the child's own user.
  public var outputFile: String?
  /// Its process group.
  public var group: Group = .session
  /// Whether it inherits descriptors above 2 that are not marked close-on-exec.
  public var inheritsDescriptors = false
  /// Whether signals that this process ignores stay ignored, as `nohup` wants.
  public var inheritsIgnoredSignals = false
  /// Whom it runs as; `nil` is the caller.
  public var user: ServerUser?
  /// As whom it sees itself, though it is somebody else; Linux only, where users may make namespaces.
  ///
  /// For programs that ask for their user's name where that has none.
  var appearance: UInt32?
  /// Whether it gets SIGTERM when the thread that starts it ends, however that comes about; Linux only.
  public var endsWithThread = false
  /// Who ends it if this process dies.
  var supervisor: Supervisor?
  /// Whether the supervisor knows it as a command, of which it ends the whole process group, rather
  /// than as the server.
  var isCommand = false

  /// Makes a launch of a program.
  public init(_ executable: String, _ arguments: [String] = [], environment: [String: String]) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
  }

  /// Starts the program.
  ///
  /// - Throws: ``PGError`` `-C000` whose cause is a ``LaunchFault`` if the program does not run.
  public func start() throws(PGError) -> ChildProcess {
    try checkForZeros()
    let null: OpenFile
    do { null = try OpenFile(opening: "/dev/null", O_RDWR) } catch {
      throw .cluster("could not open \"/dev/null\"", error)
    }
    var pid: pid_t = 0
    var step: Int32 = 0
    let number = withRequest(null: null.descriptor) { pgkit_spawn(&$0, &pid, &step) }
    guard number == 0 else {
      let fault = LaunchFault(step: .init(step), reason: SystemError(call: "exec", number: number))
      throw fault.error(for: self)
    }
    return ChildProcess(pid)
  }

  /// A zero byte would end the text early without anybody noticing.
  private func checkForZeros() throws(PGError) {
    let texts = [executable, directory ?? "", outputFile ?? ""] + arguments
    let pairs = environment.flatMap { [$0.key, $0.value] }
    if (texts + pairs).contains(where: { $0.utf8.contains(0) }) {
      throw .cluster("an argument for \"\(executable)\" contains a zero byte")
    }
  }

  /// The program is told its path as its name: PostgreSQL's look beside themselves for each other.
  private func withRequest(
    null: Int32, _ body: (inout pgkit_spawn_request) -> Int32
  ) -> Int32 {
    let pairs = environment.map { "\($0.key)=\($0.value)" }
    return withCStrings([executable, directory, outputFile]) { paths in
      withCStrings([executable] + arguments) { arguments in
        withCStrings(pairs) { environment in
          withGroups { groups in
            var request = pgkit_spawn_request()
            request.path = UnsafePointer(paths[0])
            request.directory = UnsafePointer(paths[1])
            request.output_path = UnsafePointer(paths[2])
            request.arguments = UnsafePointer(arguments)
            request.environment = UnsafePointer(environment)
            request.groups = groups.baseAddress
            request.group_count = groups.count
            fill(&request, null: null)
            return body(&request)
          }
        }
      }
    }
  }

  private func fill(_ request: inout pgkit_spawn_request, null: Int32) {
    request.descriptors = (
      number(of: input, null), number(of: output, null), number(of: error, null)
    )
    request.closes_others = inheritsDescriptors ? 0 : 1
    request.keeps_ignored_signals = inheritsIgnoredSignals ? 1 : 0
    request.supervisor = supervisor?.descriptor ?? -1
    let kind = isCommand ? PGKIT_MESSAGE_COMMAND : PGKIT_MESSAGE_PROCESS
    request.announced_as = Int32(kind.rawValue)
    request.end_signal = endsWithThread ? SIGTERM : 0
    request.terminal = -1
    switch group {
    case .inherited: request.group = Int32(PGKIT_GROUP_SAME.rawValue)
    case .session: request.group = Int32(PGKIT_GROUP_SESSION.rawValue)
    case .own(let terminal):
      request.group = Int32(PGKIT_GROUP_OWN.rawValue)
      request.terminal = terminal ?? -1
    }
    if let appearance {
      request.changes_appearance = 1
      request.appearance = appearance
    }
    guard let user else { return }
    request.changes_user = 1
    request.user = user.userID
    request.group_id = user.groupID
  }

  private func number(of stream: Stream, _ null: Int32) -> Int32 {
    switch stream {
    case .null: null
    case .descriptor(let number): number
    }
  }

  private func withGroups(_ body: (UnsafeBufferPointer<gid_t>) -> Int32) -> Int32 {
    (user?.groups ?? []).withUnsafeBufferPointer(body)
  }

  /// Lends texts as an array of C strings with a null pointer at its end.
  private func withCStrings(
    _ texts: [String?], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Int32
  ) -> Int32 {
    var copies = texts.map { $0.flatMap { strdup($0) } } + [nil]
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map(body) ?? ENOMEM
    }
  }
}
