internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// Has the server look at every statement without running it: what it makes of names and types.
///
/// Where definitions are to be seen by what follows them, they run in a transaction that is rolled back.
struct StatementCheck {
  let connection: Connection
  let plan: RunPlan
  let output: RowOutput
  /// What was found.
  private(set) var tally = Tally()

  init(_ connection: Connection, _ plan: RunPlan, _ output: RowOutput) {
    (self.connection, self.plan, self.output) = (connection, plan, output)
  }

  private var definesThings: Bool { plan.statements.checkDDL }

  /// Looks at all, whatever is wrong with some.
  ///
  /// - Throws: ``Failure`` or ``StandardOutput/Failure``.
  mutating func run() throws {
    let conforming = connection.reportedSetting("standard_conforming_strings") != "off"
    if definesThings { try execute("BEGIN") }
    for script in plan.scripts {
      var source = StatementSource(script)
      while let next = try source.next(standardConformingStrings: conforming) {
        try look(at: next, conforming)
        try Interruptions.shared.check()
      }
    }
    if definesThings { try execute("ROLLBACK") }
  }

  private mutating func look(at statement: ScriptStatement, _ conforming: Bool) throws {
    let text: SubstitutedText
    do throws(PGError) {
      text = try SubstitutedText(
        statement.piece.text, plan.variables, behind: statement.piece.comments,
        standardConformingStrings: conforming)
    } catch {
      throw error.failure(of: OpenCommand.program, status: .usage, place: statement.place)
    }
    if definesThings { try execute("SAVEPOINT pgkit_check") }
    do throws(PGError) {
      let line = try describe(statement, text.text)
      if definesThings, statement.isDefinition { _ = try connection.query.text(text.text).finish() }
      tally.succeeded()
      DiagnosticLog.shared.succeeded("\(statement.place) \(statement.piece.firstWord)")
      do { try output.write(line) } catch { throw PGError.stopped(error) }
    } catch {
      if let cause = error.cause as? StandardOutput.Failure { throw cause }
      guard !connection.isClosed else { throw error.failure(of: OpenCommand.program) }
      if definesThings { try execute("ROLLBACK TO SAVEPOINT pgkit_check") }
      try note(error, statement, text)
    }
  }

  private mutating func note(
    _ error: PGError, _ statement: ScriptStatement, _ text: SubstitutedText
  ) throws {
    if definesThings, error.code == .activeSqlTransaction {
      tally.succeeded()
      return Diagnostic(
        program: OpenCommand.program, severity: .warning, code: error.code,
        message: "not checked by running it: \(error.message)", place: statement.place
      ).print()
    }
    let place = statement.place(of: error, in: text)
    let failure = error.failure(of: OpenCommand.program, place: place)
    tally.failed(failure.status)
    failure.diagnostic?.print(status: failure.status)
  }

  /// The statement's parameters and columns, on one line.
  private func describe(_ statement: ScriptStatement, _ sql: String) throws(PGError) -> String {
    let prepared = try connection.prepare(sql)
    let parameters = try prepared.sqlParameterTypes()
    let types = try prepared.sqlColumnTypes() ?? []
    let names = prepared.columns.map(\.name)
    try prepared.close()
    let place = statement.place
    guard output.isJSON else {
      let columns = zip(names, types).map { "\($0) \($1)" }.joined(separator: ", ")
      return "\(place)\t\(statement.piece.firstWord)\t\(parameters.joined(separator: ", "))\t"
        + "\(columns)\n"
    }
    let columns = zip(names, types).map {
      "{\"name\":\(JSONText.quoted($0)),\"type\":\(JSONText.quoted($1))}"
    }
    return """
      {"source":\(JSONText.quoted("\(place)")),"command":"\(statement.piece.firstWord)",\
      "parameters":[\(parameters.map { JSONText.quoted($0) }.joined(separator: ","))],\
      "columns":[\(columns.joined(separator: ","))]}

      """
  }

  private func execute(_ sql: String) throws(Failure) {
    do throws(PGError) { try connection.execute(sql) } catch {
      throw error.failure(of: OpenCommand.program)
    }
  }
}

extension PGError {
  /// Output that failed in the middle of a conversation with the server.
  fileprivate static func stopped(_ error: any Error) -> PGError {
    PGError(code: .ioError, message: "\(error)", fault: .caller, cause: error)
  }
}
