internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// What one run of pg-open does: connect, run each statement, print its rows.
struct OpenJob {
  private let iri: String?
  private let scripts: [Script]
  private let parameters: [String?]
  private let format: OutputFormat
  private let nullText: String?
  private let isQuiet: Bool

  /// Makes the job of the command line.
  ///
  /// - Throws: ``Failure`` with status 64 if there is nothing to run, 1 if a file cannot be read.
  init(_ command: OpenCommand) throws {
    let hasScript = !command.command.isEmpty || !command.file.isEmpty
    iri = command.operands.first
    let statements = Array(command.operands.dropFirst())
    if statements.isEmpty, !hasScript {
      throw Failure(
        .usage,
        Diagnostic(
          program: OpenCommand.program, message: "no statement is given",
          details: [("HINT", "write the statement after the IRI, or use -c or -f")]))
    }
    parameters = command.parameters
    format = command.format ?? OutputFormat.default
    nullText = command.nullText
    isQuiet = command.quiet
    scripts =
      statements.map { Script(operand: $0) } + command.command.map { Script(operand: $0) }
      + (try command.file.map { try Script(file: $0) })
  }

  /// Runs it.
  ///
  /// - Throws: ``Failure`` or ``StandardOutput/Failure``.
  func run() throws {
    let connecting = Connecting(program: OpenCommand.program)
    let options = try connecting.options(iri: iri, settings: Self.settings)
    let connection = try connecting.connect(options)
    defer { connection.close() }
    if isQuiet { connection.messageHook = { _ in true } }
    var printer = format.makePrinter(nullText: nullText)
    let encoding = connection.reportedSetting("client_encoding")
    for script in scripts {
      for statement in try script.statements(on: connection) {
        try run(statement, on: connection, &printer)
        if Interruptions.shared.signal != nil { return }
        try requireEncoding(encoding, of: connection, after: statement)
      }
    }
    try requireNothingOpen(on: connection)
  }

  /// Texts are written and read as UTF-8: in a session that has another encoding they would be taken
  /// for something else.
  private func requireEncoding(
    _ first: String?, of connection: Connection, after statement: Script.Statement
  ) throws(Failure) {
    let encoding = connection.reportedSetting("client_encoding")
    guard encoding != first, encoding != "UTF8" else { return }
    throw Failure(
      .localFailure,
      Diagnostic(
        program: OpenCommand.program,
        message: "the session's client_encoding is now \(encoding ?? "unknown")",
        location: statement.location,
        details: [("HINT", "pg-open reads and writes UTF-8: leave client_encoding alone.")]))
  }

  /// A transaction that nobody ended is rolled back: if it has changed something, that is lost.
  private func requireNothingOpen(on connection: Connection) throws(Failure) {
    guard connection.transactionStatus == .inTransaction else { return }
    do throws(PGError) {
      let changes = try connection.query.text(
        "SELECT pg_catalog.txid_current_if_assigned() IS NOT NULL", [])
      var hasChanged = false
      while let batch = try changes.next() {
        for row in batch { hasChanged = try row[0, as: Bool.self] }
      }
      guard hasChanged else { return }
    } catch {
      throw error.failure(of: OpenCommand.program)
    }
    throw Failure(
      .localFailure,
      Diagnostic(
        program: OpenCommand.program,
        message: "a transaction was open at the end and is rolled back: what it changed is lost",
        details: [("HINT", "end it with COMMIT, or with ROLLBACK if that is what is wanted")]))
  }

  /// Runs one statement and prints its rows as they come.
  private func run(
    _ statement: Script.Statement, on connection: Connection, _ printer: inout any RowPrinter
  ) throws {
    do {
      if statement.isCopy {
        try copy(statement, on: connection)
      } else {
        let rows = try connection.query.text(
          statement.text, parameters, learnsTypes: format.showsParts)
        try print(rows, &printer)
      }
    } catch let error as PGError {
      throw error.failure(of: OpenCommand.program, location: statement.location(of: error))
    }
  }

  private func print(_ chunks: Chunks, _ printer: inout any RowPrinter) throws {
    var hasBegun = false
    while let batch = try chunks.next() {
      if !hasBegun { try printer.begin(batch.columns) }
      hasBegun = true
      try printer.print(batch)
    }
    if !hasBegun {
      if chunks.columns.isEmpty { return }
      try printer.begin(chunks.columns)
    }
    try printer.end()
  }

  /// Relays COPY … TO STDOUT; there is no stdin for the other direction.
  private func copy(_ statement: Script.Statement, on connection: Connection) throws {
    guard parameters.isEmpty else {
      throw Failure(
        .usage,
        Diagnostic(
          program: OpenCommand.program, message: "COPY takes no parameters",
          location: statement.location,
          details: [("HINT", "put the values into the statement, and leave -p out")]))
    }
    guard let stream = try connection.copyOutIfAny(statement.text) else { return }
    while let chunk = try stream.next() {
      try chunk.forEach { try StandardOutput.shared.write($0) }
    }
  }

  /// What the text of values must not depend on a server's configuration for.
  private static let settings = [
    ConnectionOptions.Setting("DateStyle", "ISO"),
    ConnectionOptions.Setting("IntervalStyle", "iso_8601"),
  ]
}
