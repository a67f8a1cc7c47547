internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// What is run when a source listens, at the start and after each gap: a command, a query.
///
/// LISTEN is committed by then, so what is read here and what arrives later leave nothing between them.
/// What it prints stands before the first event.
struct ReadyHook: Sendable {
  /// A command of the shell's.
  let command: String?
  /// A query, whose rows are printed.
  let query: String?
  /// How long a line of the command's output may be, in bytes.
  let lineLimit: Int

  /// How long the command has to end when the run is over.
  private static let grace = Duration.seconds(3)

  /// Runs both, the command first.
  ///
  /// - Throws: ``Failure``: 3 if the server refuses the query, 1 if the command fails.
  func run(on session: ListeningSession, source: String, _ stream: EventStream) throws {
    if let command { try run(command, on: session, source, stream) }
    if let query { try ask(query, on: session.connection, source, stream) }
  }

  // MARK: The query

  private func ask(
    _ query: String, on connection: Connection, _ source: String, _ stream: EventStream
  ) throws {
    do {
      let chunks = try connection.query.text(query, learnsTypes: true)
      while let batch = try chunks.next() { try print(batch, source, stream) }
      try chunks.finish()
      try Self.requireNoTransaction(on: connection)
    } catch let error as PGError {
      // It is made again, and the query asked again.
      if connection.isClosed { return }
      throw error.failure(of: ListenCommand.program, status: .refused, location: "--on-ready-sql")
    }
  }

  /// One that stays open would hold up the server's queue.
  private static func requireNoTransaction(on connection: Connection) throws {
    if connection.transactionStatus == .idle { return }
    throw ListenCommand.failure(
      "--on-ready-sql has left a transaction open, which would hold up the server's queue")
  }

  /// Prints rows, which are data: whatever becomes of lines that are no events, these go to stdout.
  private func print(_ batch: RowBatch, _ source: String, _ stream: EventStream) throws {
    var lines: [UInt8] = []
    for row in 0..<batch.count {
      lines += Array("{\"event\":\"row\",\"source\":".utf8)
      JSONText.append(source, to: &lines)
      lines += Array(",\"row\":{".utf8)
      try batch.forEachValue(inRow: row) { column, value in
        if column > 0 { lines.append(UInt8(ascii: ",")) }
        let shown = batch.columns[column]
        JSONText.append(shown.name, to: &lines)
        lines.append(UInt8(ascii: ":"))
        guard let value else { return lines += Array("null".utf8) }
        try PGValue.appendJSON(of: value, shown.pgType, shown.format, to: &lines)
      }
      lines += Array("}}".utf8) + [stream.separator]
    }
    stream.printOutput(lines) { stream.outcome != nil }
  }

  // MARK: The command

  private func run(
    _ command: String, on session: ListeningSession, _ source: String, _ stream: EventStream
  ) throws {
    guard let ends = WakePipe.openPipe() else {
      throw ListenCommand.failure("could not open a pipe")
    }
    stream.work.begins()
    defer { stream.work.ends() }
    let child: ChildProcess
    do {
      defer { close(ends.writing) }
      child = try Self.start(command, source, ends.writing)
    } catch {
      close(ends.reading)
      throw error
    }
    let isPrinted = pass(ends.reading, of: child, session, stream)
    close(ends.reading)
    guard let ending = child.wait(until: stream.outcome == nil ? .never : .after(.zero)) else {
      return Self.warn("the command of --on-ready, process \(child.pid), does not end")
    }
    if !isPrinted {
      throw ListenCommand.failure("the command of --on-ready \(CommandOutput.tooLong(lineLimit))")
    }
    if !ending.isSuccess { throw ListenCommand.failure("the command of --on-ready \(ending)") }
  }

  private static func start(
    _ command: String, _ source: String, _ output: CInt
  ) throws(Failure) -> ChildProcess {
    var environment = ProcessEnvironment.variables
    environment["PGKIT_SOURCE"] = source
    environment["PGKIT_EVENT"] = "ready"
    var launch = ProcessLaunch("/bin/sh", ["-c", command], environment: environment)
    launch.output = .descriptor(output)
    launch.error = .descriptor(STDERR_FILENO)
    launch.group = .inherited
    do { return try launch.start() } catch {
      throw error.failure(of: ListenCommand.program, status: .localFailure)
    }
  }

  /// Prints what the command writes.
  ///
  /// What arrives meanwhile is received and kept, so that the server's queue is not held up, and when the
  /// run is over the command is told to end.
  ///
  /// - Returns: Whether all of it could be printed.
  private func pass(
    _ descriptor: CInt, of child: ChildProcess, _ session: ListeningSession, _ stream: EventStream
  ) -> Bool {
    let patience = Deadline.after(session.answerLimit)
    var (isLost, isNoted) = (false, false)
    var end: Deadline?
    return CommandOutput.pass(
      descriptor, of: child, limit: lineLimit,
      beside: { isLost ? nil : session.connection.fileDescriptor }
    ) { hasMore in
      // What is lost is made again afterwards.
      if hasMore { isLost = !session.keepsNotifications() }
      if !isNoted, patience.hasPassed {
        Self.warn("the command of --on-ready still runs, and events wait for it")
        isNoted = true
      }
      guard stream.outcome != nil else { return true }
      if end == nil { try? child.send(SIGTERM) }
      end = end ?? .after(Self.grace)
      return end?.hasPassed != true
    } _: { lines in
      stream.printOutput(lines) { stream.outcome != nil }
    }
  }

  private static func warn(_ text: String) {
    Diagnostic(program: ListenCommand.program, severity: .warning, message: text).print()
  }
}
