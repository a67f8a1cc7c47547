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

  /// Runs both, the command first.
  ///
  /// - Throws: ``Failure``: 3 if the server refuses the query, 1 if the command fails.
  func run(on connection: Connection, source: String, _ stream: EventStream) throws {
    if let command { try run(command, source, stream) }
    if let query { try ask(query, on: connection, source, stream) }
  }

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

  private func print(_ batch: RowBatch, _ source: String, _ stream: EventStream) throws {
    for row in 0..<batch.count {
      var line: [UInt8] = Array("{\"event\":\"row\",\"source\":".utf8)
      JSONText.append(source, to: &line)
      line += Array(",\"row\":{".utf8)
      try batch.forEachValue(inRow: row) { column, value in
        if column > 0 { line.append(UInt8(ascii: ",")) }
        let shown = batch.columns[column]
        JSONText.append(shown.name, to: &line)
        line.append(UInt8(ascii: ":"))
        guard let value else { return line += Array("null".utf8) }
        try PGValue.appendJSON(of: value, shown.pgType, shown.format, to: &line)
      }
      line += Array("}}\n".utf8)
      let finished = line
      stream.printControl { $0.append(finished) }
    }
  }

  private func run(_ command: String, _ source: String, _ stream: EventStream) throws {
    guard let ends = WakePipe.openPipe() else {
      throw ListenCommand.failure("could not open a pipe")
    }
    defer { close(ends.reading) }
    let child: ChildProcess
    do {
      defer { close(ends.writing) }
      var environment = Self.environment
      environment["PGKIT_SOURCE"] = source
      environment["PGKIT_EVENT"] = "ready"
      var launch = ProcessLaunch("/bin/sh", ["-c", command], environment: environment)
      launch.output = .descriptor(ends.writing)
      launch.error = .descriptor(STDERR_FILENO)
      launch.group = .inherited
      do { child = try launch.start() } catch {
        throw error.failure(of: ListenCommand.program, status: .localFailure)
      }
    }
    WholeLines.pass(ends.reading, of: child) { lines in
      stream.printOutput(lines) { stream.outcome != nil }
    }
    if let ending = child.wait(), !ending.isSuccess {
      throw ListenCommand.failure("the command of --on-ready \(ending)")
    }
  }

  /// The environment that commands are given, before what is said of the event.
  static var environment: [String: String] {
    var result: [String: String] = [:]
    var pointer = environ
    while let entry = pointer.pointee {
      let text = String(cString: entry)
      if let index = text.firstIndex(of: "=") {
        result[String(text[..<index])] = String(text[text.index(after: index)...])
      }
      pointer += 1
    }
    return result
  }
}
