internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// One run of pg-listen: connect, LISTEN, print what arrives until it is time to end.
struct Listener {
  private let command: ListenCommand
  private let deadline: Deadline
  private var printer = EventPrinter()

  init(_ command: ListenCommand) throws {
    self.command = command
    deadline = command.timeout.map { .after($0.duration) } ?? .never
  }

  /// Runs until the count is reached.
  ///
  /// - Throws: ``Failure``: 2 when the connection fails, 3 when the server refuses to listen, 4 when
  ///   the time is over; or ``StandardOutput/Failure``.
  mutating func run() throws {
    let connection = try connect()
    defer { connection.close() }
    StandardOutput.shared.setBuffering(.lineBuffered)
    while true {
      let events = try next(on: connection)
      for event in events {
        try printer.print(event)
        if printer.count == command.count { return }
      }
      // What had arrived is printed before time is judged.
      if events.isEmpty, deadline.hasPassed { throw Self.timedOut(command) }
      if StandardOutput.shared.isHungUp { Signals.endProcess(by: SIGPIPE) }
    }
  }

  private func connect() throws -> Connection {
    let connecting = Connecting(program: ListenCommand.program)
    let options = try connecting.options(iri: command.iri)
    let connection = try connecting.connect(options)
    do throws(PGError) {
      if connection.serverVersion.major >= 14 {
        try connection.execute("SET idle_session_timeout = 0")
      }
      try connection.listen(command.channels)
    } catch {
      throw error.failure(of: ListenCommand.program)
    }
    announce(connection, options)
    return connection
  }

  /// The events that have arrived; none when time is over or the reader of stdout has gone.
  private func next(on connection: Connection) throws -> [PGNotification] {
    do throws(PGError) {
      return try connection.notifications(until: deadline, orReadable: Self.watchedOutput)
    } catch {
      throw error.failure(of: ListenCommand.program, status: .connection)
    }
  }

  /// stdout, if it is a pipe: polling its writing end tells when the reader has gone.
  private static let watchedOutput: Int32? = {
    var facts = stat()
    guard fstat(STDOUT_FILENO, &facts) == 0, facts.st_mode & S_IFMT == S_IFIFO else { return nil }
    return STDOUT_FILENO
  }()

  private func announce(_ connection: Connection, _ options: ConnectionOptions) {
    if let descriptor = command.readyFD {
      _ = write(descriptor, "\n", 1)
      if descriptor > STDERR_FILENO { close(descriptor) }
    }
    guard !command.quiet else { return }
    let database = options.database ?? options.user ?? ""
    note(
      "listening on \(command.channels.joined(separator: ", ")) (\(connection.endpoint)/\(database))"
    )
    for channel in command.channels where channel != channel.lowercased() {
      note("an unquoted NOTIFY \(channel) goes to \(channel.lowercased()), not to \(channel)")
    }
  }

  private func note(_ text: String) {
    Diagnostic(program: ListenCommand.program, message: text).print()
  }

  private static func timedOut(_ command: ListenCommand) -> Failure {
    Failure(
      .deadline,
      Diagnostic(
        program: ListenCommand.program, message: "the time given by --timeout is over"))
  }
}
