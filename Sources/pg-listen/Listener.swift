internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// One run of pg-listen: connect, LISTEN, print what arrives until it is time to end.
///
/// There is never a transaction open, because one would keep the server's queue from being trimmed.
/// A lost connection ends the run: nothing that was missed meanwhile may look like silence. (To go on
/// after connecting again belongs into ``next(on:)``, and needs a line that says what was missed.)
struct Listener {
  /// What is still printed when time is over: about as many events as the buffers of a socket hold.
  ///
  /// More than that arrived too late, and must not keep a program from ending.
  private static let lateLimit = 100_000

  private let command: ListenCommand
  private let deadline: Deadline
  private var printer: EventPrinter

  /// Makes a run whose time begins now.
  init(_ command: ListenCommand) {
    self.command = command
    deadline = command.timeout.map { .after($0.duration) } ?? .never
    printer = EventPrinter(limit: command.count)
  }

  /// Runs until the count is reached.
  ///
  /// - Throws: ``Failure``: 2 when the connection fails, 3 when the server refuses to listen, 4 when
  ///   the time is over; or ``StandardOutput/Failure``.
  mutating func run() throws {
    let connection = try connect()
    defer { connection.close() }
    StandardOutput.shared.setBuffering(.lineBuffered)
    try announce(connection)
    var late = 0
    while !printer.isDone {
      let isLate = deadline.hasPassed
      let events = try next(on: connection)
      try printer.print(events)
      if StandardOutput.shared.isHungUp { Signals.endProcess(by: SIGPIPE) }
      // What had arrived is printed before time is judged.
      late += isLate ? events.count : 0
      if deadline.hasPassed, events.isEmpty || late > Self.lateLimit, !printer.isDone {
        throw timedOut()
      }
    }
  }

  /// The events that have arrived; none when time is over or the reader of stdout has gone.
  private func next(on connection: Connection) throws(Failure) -> [PGNotification] {
    do throws(PGError) {
      return try connection.notifications(until: deadline, orHungUp: STDOUT_FILENO)
    } catch {
      throw error.failure(of: ListenCommand.program, status: .connection)
    }
  }

  private func timedOut() -> Failure {
    let wanted = command.count.map { " of \($0)" } ?? ""
    let events = printer.count == 1 && wanted.isEmpty ? "event" : "events"
    return failure(
      .deadline, "the time given by --timeout is over after \(printer.count)\(wanted) \(events)")
  }

  private func failure(_ status: ExitStatus, _ message: String) -> Failure {
    Failure(status, Diagnostic(program: ListenCommand.program, message: message))
  }
}

// How it begins
extension Listener {
  private func connect() throws(Failure) -> Connection {
    let connecting = Connecting(program: ListenCommand.program)
    let connection = try connecting.connect(
      connecting.options(iri: command.iri), until: deadline)
    do throws(PGError) {
      try prepare(connection)
      try connection.listen(command.channels, until: deadline)
    } catch {
      throw Self.explained(error).failure(of: ListenCommand.program)
    }
    return connection
  }

  /// Sees to it that the server does not end the session because it is idle.
  private func prepare(_ connection: Connection) throws(PGError) {
    guard connection.serverVersion.major >= 14 else { return }
    try connection.execute("SET idle_session_timeout = 0", until: deadline)
  }

  private static func explained(_ error: PGError) -> PGError {
    guard error.code == .readOnlySqlTransaction, error.hint == nil else { return error }
    return PGError(
      code: error.code, message: error.message, fault: error.fault,
      hint: "A standby cannot listen: connect to its primary (target_session_attrs=primary).",
      fields: error.fields)
  }

  private func announce(_ connection: Connection) throws(Failure) {
    try command.readyFD?.announce(program: ListenCommand.program)
    guard !command.quiet else { return }
    let names = command.channels.map { (try? SQL.quoteIdentifierIfNeeded($0)) ?? $0 }
    note("listening on \(names.joined(separator: ", ")) (\(EventSource(connection)))")
    for channel in command.channels {
      if let other = Self.folded(channel) {
        note("an unquoted NOTIFY \(channel) sends to \(other), not to \(channel)")
      }
    }
  }

  /// The name that the server makes of a name without quotes, if that is a different one.
  ///
  /// Only where it could be written without quotes; in UTF-8 nothing but ASCII is folded.
  private static func folded(_ channel: String) -> String? {
    let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
    let bytes = channel.utf8.map { letters.contains($0) ? $0 | 0x20 : $0 }
    let folded = String(decoding: bytes, as: UTF8.self)
    return folded == channel || SQL.needsQuoting(folded) ? nil : folded
  }

  private func note(_ text: String) {
    Diagnostic(program: ListenCommand.program, message: text).print()
  }
}
