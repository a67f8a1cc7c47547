internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// What one run of pg-open does: connect, run each statement, print its rows.
final class OpenJob {
  private let iri: String?
  private let overrides: ConnectionOptions
  private let request: OpenRequest
  private let plan: RunPlan
  private let output: RowOutput
  private let each: EachLoad?
  private let connecting = Connecting(program: OpenCommand.program)
  private let start = ContinuousClock.now
  private var tally = Tally()

  /// Makes the job of the command line.
  ///
  /// - Throws: ``Failure`` with status 64 if there is nothing to run, 1 if a file cannot be read.
  init(_ request: OpenRequest) throws(Failure) {
    self.request = request
    var operands = request.operands
    iri = try request.connection.takeIRI(from: &operands, program: OpenCommand.program)
    overrides = try request.connection.overrides(program: OpenCommand.program)
    let flags = request.statements
    if operands.isEmpty, flags.command.isEmpty, flags.file.isEmpty, !request.connection.explains {
      throw .usage(
        "no statement is given", hint: "write the statement after the IRI, or use -c or -f")
    }
    plan = try RunPlan(request, operands: operands)
    each = try EachLoad(request.values, nullText: request.output.nullText)
    output = try RowOutput(request.output, request.expectations)
  }

  /// Runs it.
  ///
  /// - Throws: ``Failure`` or ``StandardOutput/Failure``.
  func run() throws {
    if request.connection.explains {
      try IRIExplanation(iri: iri, overrides: allOverrides, connecting).print(to: output)
      return try output.finish()
    }
    if output.isOnStandardOutput { Interruptions.shared.watchReader(of: output.output) }
    do {
      try connectAndRun()
      try output.finish()
      // What the summary says is known only then.
      if request.messages.summary != nil { try StandardOutput.shared.flush() }
    } catch {
      output.abandon()
      let failure = Self.failure(of: error, request.limits.timeout)
      output.flushRows()
      guard request.messages.summary != nil else { throw failure }
      // The summary comes last, whatever ended the run.
      guard let known = failure as? Failure else {
        printSummary(.localFailure)
        throw failure
      }
      known.diagnostic?.print(status: known.status)
      printSummary(known.status)
      throw Failure(known.status)
    }
    if request.messages.summary != nil { printSummary(.ok) }
  }

  /// What an error means for the program.
  private static func failure(of error: any Error, _ timeout: DurationArgument?) -> any Error {
    let failure = (error as? StatementFailure)?.failure ?? (error as? RunEnded)?.failure ?? error
    guard Interruptions.shared.isExpired, let known = failure as? Failure else { return failure }
    return Failure(
      .deadline,
      Diagnostic(
        program: OpenCommand.program,
        message: "the time of --timeout is over", place: known.diagnostic?.place,
        details: known.diagnostic.map { [("DETAIL", $0.message)] } ?? []))
  }

  // MARK: The connection

  /// What flags say of the connection, which wins over everything.
  private var allOverrides: ConnectionOptions {
    var all = overrides
    for setting in request.limits.settings { all.setSetting(setting.name, to: setting.value) }
    if request.statements.readOnly { all.setSetting("default_transaction_read_only", to: "on") }
    return all
  }

  private func applySettings(
    to connection: Connection, _ options: ConnectionOptions
  ) throws(Failure) {
    let given = options.settings.map { $0.name.lowercased() }
    let ours = SessionSettings.inSession.filter { !given.contains($0.name) }
    guard !ours.isEmpty else { return }
    do throws(PGError) {
      try connection.execute(ours.map { "SET \($0.name) = \($0.value)" }.joined(separator: "; "))
    } catch {
      throw error.failure(of: OpenCommand.program)
    }
  }

  private func connectAndRun() throws {
    let options = try connecting.options(
      iri: iri, overrides: allOverrides, settings: SessionSettings.inStartup)
    let deadline = request.limits.timeout.map { Deadline.after($0.duration) } ?? .never
    Interruptions.shared.limit(to: deadline, program: OpenCommand.program)
    let policy = RetryPolicy(triesAll: false, longest: .seconds(5))
    var connection = try connect(options, until: deadline)
    defer { connection.close() }
    let mark = DiagnosticLog.shared.mark
    var attempts = 0
    while true {
      if attempts > 0, connection.isClosed {
        Interruptions.shared.forgetConnections()
        connection = try connect(options, until: deadline)
      }
      do { return try runOnce(connection) } catch let failed as StatementFailure
        where attempts < plan.retries && mayRepeatAll(failed)
      {
        isCommitUnknown = failed.isCommitUnknown
        if !isCommitUnknown { output.restart() }
        DiagnosticLog.shared.takeBackSuccesses(since: mark)
        policy.sleep(before: attempts, until: deadline)
        try Interruptions.shared.check()
        attempts += 1
      }
    }
  }

  private func connect(
    _ options: ConnectionOptions, until deadline: Deadline
  ) throws(Failure) -> Connection {
    let connection = try connecting.connect(
      options, until: deadline,
      waitingUntil: request.limits.wait.map { Deadline.after($0.duration) })
    if !request.messages.hasNotices { connection.messageHook = { _ in true } }
    try applySettings(to: connection, options)
    if let wanted = request.expectations.systemID { try require(wanted, of: connection) }
    return connection
  }

  /// Makes sure that the server belongs to a cluster: another may have come to its address.
  private func require(_ wanted: UInt64, of connection: Connection) throws(Failure) {
    let found: String?
    do throws(PGError) {
      found = try connection.query.first(
        "SELECT system_identifier::text FROM pg_catalog.pg_control_system()", as: String.self)
    } catch {
      throw error.failure(of: OpenCommand.program)
    }
    guard found != "\(wanted)" else { return }
    throw Failure(
      .negative,
      Diagnostic(
        program: OpenCommand.program,
        message: "the server is of cluster \(found ?? "unknown"), and not of \(wanted)",
        details: [("HINT", "nothing was run; is this the server that is meant?")]))
  }

  // MARK: One attempt

  private func runOnce(_ connection: Connection) throws {
    if request.statements.check || request.statements.checkDDL {
      var check = StatementCheck(connection, plan, output)
      defer { tally = check.tally }
      try check.run()
      return try conclude(check.tally)
    }
    let runner = StatementRunner(connection, plan, output, each)
    defer { take(runner) }
    if plan.statements.isOneTransaction {
      try runAsOne(runner)
    } else {
      try runner.runAll()
      try output.requireResult()
      try requireNothingOpen(on: connection)
    }
    try conclude(runner.tally)
  }

  private func take(_ runner: StatementRunner) {
    let before = tally
    tally = runner.tally
    if isRepeating { tally.add(repetitionsOf: before) }
    isRepeating = true
    hasReadInput = hasReadInput || runner.hasReadInput
  }

  private var isRepeating = false
  /// Whether a COMMIT was sent and not answered, and the key is to tell whether it took effect.
  private var isCommitUnknown = false
  private var hasReadInput = false
  /// Whether the one transaction took effect.
  private var isCommitted = false

  private func conclude(_ tally: Tally) throws(Failure) {
    if tally.skippedStatements > 0 {
      let count = tally.skippedStatements
      Diagnostic(
        program: OpenCommand.program, severity: .notice,
        message:
          "\(count) statement\(count == 1 ? " was not run: its" : "s were not run: their") transaction had failed"
      ).print()
    }
    if tally.worst != .ok { throw Failure(tally.worst) }
  }

  // MARK: Everything in one transaction

  private func runAsOne(_ runner: StatementRunner) throws {
    let connection = runner.connection
    if plan.retries > 0, !isCommitUnknown { try output.hold() }
    try perform(beginning, on: connection)
    if let key = plan.statements.idempotencyKey {
      guard try begin(IdempotencyKey(text: key), on: connection) else {
        return try output.output.release()
      }
    }
    do {
      try runner.runAll()
      try output.requireResult()
    } catch {
      rollBack(connection)
      throw error
    }
    do throws(Failure) { try Interruptions.shared.check() } catch {
      rollBack(connection)
      throw error
    }
    // Rows of --each that were refused and kept do not count: the others were to go on.
    guard !plan.statements.rollback, runner.tally.failures == 0 else {
      // What a constraint says only at the end belongs to the rehearsal.
      if runner.tally.failures == 0 { try perform("SET CONSTRAINTS ALL IMMEDIATE", on: connection) }
      rollBack(connection)
      return try output.output.release()
    }
    // A disk that is full must be known before anything takes effect.
    if plan.retries == 0 { try output.output.flush() } else { try output.output.proveWritable() }
    try commit(connection)
    isCommitted = true
    try output.output.release()
  }

  /// Stores the key, and decides by it what becomes of a COMMIT that was not answered.
  ///
  /// - Returns: Whether the work is to be done.
  private func begin(_ key: IdempotencyKey, on connection: Connection) throws -> Bool {
    guard try key.claim(on: connection) else {
      rollBack(connection)
      if !isCommitUnknown {
        Diagnostic(
          program: OpenCommand.program, severity: .notice,
          message: "what has the key \"\(key.text)\" is done already, and is not run again"
        ).print()
      }
      return false
    }
    guard isCommitUnknown else { return true }
    isCommitUnknown = false
    // It did not take effect: what was printed of it is taken back.
    guard output.takeBack() else {
      rollBack(connection)
      throw Failure(
        .connection,
        Diagnostic(
          program: OpenCommand.program, severity: .fatal, code: .transactionResolutionUnknown,
          message: "the connection was lost during COMMIT, which did not take effect",
          details: [("HINT", "run it again: some of its rows are already printed")]))
    }
    output.restart()
    return true
  }

  private var beginning: String {
    var words = ["BEGIN"]
    if let isolation = plan.statements.isolation {
      words.append("ISOLATION LEVEL \(isolation.sql)")
    }
    if plan.statements.readOnly { words.append("READ ONLY") }
    return words.joined(separator: " ")
  }

  private func commit(_ connection: Connection) throws {
    let tag: CommandTag?
    do throws(PGError) { tag = try connection.query.text("COMMIT").finish() } catch {
      guard connection.isClosed else {
        throw StatementFailure(failure: error.failure(of: OpenCommand.program), cause: error)
      }
      // Nobody knows whether it took effect, so it is tried again only if that can be found out.
      let hasKey = plan.statements.idempotencyKey != nil
      let failure = Failure(
        .connection,
        Diagnostic(
          program: OpenCommand.program, severity: .fatal, code: error.code,
          message: "the connection was lost during COMMIT: \(error.message)",
          details: [
            (
              "HINT",
              hasKey
                ? "run it again with the same key: what took effect is not done twice"
                : "look whether it took effect before doing it again, or use --idempotency-key"
            )
          ]))
      guard hasKey else { throw failure }
      throw StatementFailure(failure: failure, cause: error, isCommitUnknown: true)
    }
    if tag?.description == "ROLLBACK" { throw Failure.rolledBack(nil) }
  }

  private func perform(_ sql: String, on connection: Connection) throws {
    do throws(PGError) { try connection.execute(sql) } catch {
      throw StatementFailure(failure: error.failure(of: OpenCommand.program), cause: error)
    }
  }

  /// A session that is lost has rolled back by itself.
  private func rollBack(_ connection: Connection) {
    if !connection.isClosed { try? connection.execute("ROLLBACK") }
  }

  /// Whether everything may be done again from its beginning.
  private func mayRepeatAll(_ failed: StatementFailure) -> Bool {
    guard plan.statements.isOneTransaction, !hasReadInput, each == nil,
      !Interruptions.shared.isExpired, Interruptions.shared.signal == nil
    else { return false }
    if failed.isCommitUnknown { return true }
    return (failed.mayPass || failed.failure.status == .connection) && output.takeBack()
  }

  // MARK: The end

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

  private func printSummary(_ status: ExitStatus) {
    if plan.isHeldTogether, !isCommitted { tally.takeBackChanges() }
    let rows = each.map { ",\"stored\":\($0.stored),\"rejected\":\($0.rejected)" } ?? ""
    StandardError.print(
      """
      {"program":"\(OpenCommand.program)","exit_code":\(DiagnosticLog.shared.exitCode(for: status)),\
      "statements":\(tally.statements),"failed":\(tally.failures),\
      "skipped":\(tally.skippedStatements),"retries":\(tally.repetitions),\
      "rows":\(output.rowCount),"changed":\(tally.changedRows)\(rows),\
      "duration_ms":\((ContinuousClock.now - start).wholeMilliseconds)}
      """)
  }
}
