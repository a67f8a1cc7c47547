internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// A statement that the server refused, or whose connection was lost.
struct StatementFailure: Error {
  let failure: Failure
  let cause: PGError
  /// Whether it was a COMMIT that may have taken effect, which can be found out.
  var isCommitUnknown = false
}

/// Runs statements on one connection.
final class StatementRunner {
  let connection: Connection
  private let plan: RunPlan
  private let output: RowOutput
  private let each: EachLoad?
  private let encoding: String?
  /// What has come of the statements so far.
  private(set) var tally = Tally()
  /// Whether a COPY has taken what stdin held, which can be had only once.
  private(set) var hasReadInput = false

  init(_ connection: Connection, _ plan: RunPlan, _ output: RowOutput, _ each: EachLoad?) {
    (self.connection, self.plan, self.output, self.each) = (connection, plan, output, each)
    encoding = connection.reportedSetting("client_encoding")
    if encoding == "SQL_ASCII" { output.expectUnknownText() }
  }

  private var hasConformingStrings: Bool {
    connection.reportedSetting("standard_conforming_strings") != "off"
  }

  /// Runs all scripts.
  ///
  /// - Throws: ``StatementFailure``, ``Failure`` or ``StandardOutput/Failure``.
  func runAll() throws {
    try plan.inspect(standardConformingStrings: hasConformingStrings)
    for script in plan.scripts {
      var source = StatementSource(script)
      while let next = try source.next(standardConformingStrings: hasConformingStrings) {
        try runOrGoOn(next)
        if Interruptions.shared.signal != nil { return }
        if Interruptions.shared.isExpired { throw Failure(.deadline) }
      }
    }
  }

  /// Runs a statement; with `--keep-going`, its failure is told and does not end everything.
  private func runOrGoOn(_ statement: ScriptStatement) throws {
    do {
      try runRepeatedly(statement)
      tally.succeeded()
      DiagnosticLog.shared.succeeded("\(statement.place) \(statement.piece.firstWord)")
    } catch let failed as StatementFailure {
      tally.failed(failed.failure.status)
      guard plan.statements.keepGoing, !connection.isClosed, !Interruptions.shared.isExpired,
        Interruptions.shared.signal == nil
      else { throw failed }
      // What follows a failure in a transaction fails for that reason; it is enough to count it.
      if failed.cause.code == .inFailedSqlTransaction { return tally.skipped() }
      failed.failure.diagnostic?.print(status: failed.failure.status)
    } catch let failure as Failure {
      tally.failed(failure.status)
      guard plan.statements.keepGoing, failure.status != .deadline else { throw failure }
      failure.diagnostic?.print(status: failure.status)
    }
  }

  // MARK: Again

  private func runRepeatedly(_ statement: ScriptStatement) throws {
    let isAlone = connection.transactionStatus == .idle && plan.retries > 0
    let policy = RetryPolicy(triesAll: false, longest: .seconds(5))
    var attempts = 0
    while true {
      if isAlone { try output.output.hold() }
      do {
        try run(statement)
        if isAlone { try output.output.release() }
        return
      } catch let failed as StatementFailure
        where isAlone && attempts < plan.retries && failed.mayPass && statement.mayRunAgain
        && !hasReadInput && !Interruptions.shared.isExpired && output.output.takeBack()
      {
        tally.repeated()
        policy.sleep(before: attempts, until: .never)
        attempts += 1
      } catch {
        if isAlone { try output.output.release() }
        throw error
      }
    }
  }

  // MARK: One statement

  /// Runs one statement and prints its rows as they come.
  private func run(_ statement: ScriptStatement, isProduct: Bool = false) throws {
    try plan.requireRunnable(statement)
    let text = try substitute(statement)
    do {
      if let each, !isProduct {
        try each.run(text.text, on: connection, output)
        if each.rejected > 0 { tally.reached(.refused) }
      } else if let direction = statement.piece.streamCopy {
        try copy(direction, statement, text)
      } else {
        try query(statement, text, isProduct: isProduct)
      }
    } catch let error as PGError {
      throw failure(of: error, statement, text)
    }
    try requireEncoding(after: statement)
  }

  private func substitute(_ statement: ScriptStatement) throws -> SubstitutedText {
    do throws(PGError) {
      return try SubstitutedText(
        statement.piece.text, plan.variables, standardConformingStrings: hasConformingStrings)
    } catch {
      throw error.failure(of: OpenCommand.program, status: .usage, place: statement.place)
    }
  }

  private func failure(
    of error: PGError, _ statement: ScriptStatement, _ text: SubstitutedText
  ) -> StatementFailure {
    var failure = error.failure(
      of: OpenCommand.program, place: statement.place(of: error, in: text))
    if statement.piece.text.hasPrefix("\\"), let diagnostic = failure.diagnostic {
      failure = Failure(
        failure.status,
        Diagnostic(
          program: diagnostic.program, severity: diagnostic.severity, code: diagnostic.code,
          message: diagnostic.message, place: diagnostic.place,
          details: [("HINT", "commands with a backslash are psql's; a script holds SQL alone")]))
    }
    return StatementFailure(failure: failure, cause: error)
  }

  private func query(
    _ statement: ScriptStatement, _ text: SubstitutedText, isProduct: Bool
  ) throws {
    let count =
      isProduct
      ? 0
      : SQL.highestParameter(
        in: text.text, standardConformingStrings: hasConformingStrings)
    guard count <= plan.parameters.count else {
      throw Failure.usage(
        "the statement has a parameter $\(count), but there \(plan.parameters.isAre) "
          + "\(plan.parameters.count) value\(plan.parameters.count == 1 ? "" : "s")",
        hint: "-p gives a parameter its value")
    }
    var types: [TypeOID] = []
    if plan.parameters.needsTypes(first: count) {
      types = try connection.prepare(text.text).pgParameterTypes
    }
    let values = try plan.parameters.texts(first: count, types: types)
    if output.hasSchema {
      try SchemaLine.write(of: text.text, on: connection, to: output)
    }
    let chunks = try connection.query.text(text.text, values, learnsTypes: output.isJSON)
    if plan.statements.gexec, !isProduct {
      try runProducts(try Product.all(of: chunks), of: statement)
    } else {
      try output.print(chunks, of: statement.script.isFile ? statement.place : nil)
    }
    try note(chunks.tag, of: statement)
  }

  private func note(_ tag: CommandTag?, of statement: ScriptStatement) throws {
    guard let tag else { return }
    if plan.hasTags { StandardError.print("\(tag)") }
    tally.note(tag)
    // A transaction that has failed is rolled back by COMMIT, and that is no success.
    if tag.description == "ROLLBACK",
      ["COMMIT", "END", "PREPARE"].contains(statement.piece.firstWord)
    {
      throw Failure.rolledBack(statement.place)
    }
  }

  // MARK: SQL that is made by SQL

  private func runProducts(_ products: [Product], of statement: ScriptStatement) throws {
    for product in products {
      if plan.statements.dryRun {
        try output.write(product.sql + ";\n")
        continue
      }
      let name = "\(statement.place), row \(product.row), column \(product.column)"
      var source = StatementSource(Script(product.sql, called: name))
      while let next = try source.next(standardConformingStrings: hasConformingStrings) {
        try run(next, isProduct: true)
        if Interruptions.shared.signal != nil || Interruptions.shared.isExpired { return }
      }
    }
  }

  // MARK: COPY

  private func copy(
    _ direction: StreamCopy, _ statement: ScriptStatement, _ text: SubstitutedText
  ) throws {
    switch direction {
    case .toProgram:
      guard let stream = try connection.copyOutIfAny(text.text) else { return }
      while let chunk = try stream.next() {
        try chunk.forEach { try output.output.write($0) }
      }
      try note(stream.tag, of: statement)
    case .fromProgram:
      if statement.copyData == nil, plan.readsInput {
        throw Failure.usage("stdin is read as a script, so COPY … FROM STDIN has no data")
      }
      let stream = try connection.copyIn(text.text)
      if let data = statement.copyData {
        try stream.write(Array(data))
      } else {
        hasReadInput = true
        try sendInput(to: stream)
      }
      try note(try stream.finish(), of: statement)
    }
  }

  private func sendInput(to stream: CopyInStream) throws {
    do throws(Failure) {
      while let piece = try StandardInput.readPiece(
        upTo: 256 << 10, program: OpenCommand.program,
        while: { Interruptions.shared.signal == nil && !Interruptions.shared.isExpired })
      {
        do throws(PGError) { try stream.write(piece) } catch {
          throw error.failure(of: OpenCommand.program)
        }
      }
    } catch {
      try? stream.fail("stdin could not be read")
      throw error
    }
    if Interruptions.shared.signal != nil || Interruptions.shared.isExpired {
      try stream.fail("the copying was interrupted")
    }
  }

  // MARK: What must be true of the session

  /// Texts are written and read as UTF-8: in a session that has another encoding they would be taken
  /// for something else.
  private func requireEncoding(after statement: ScriptStatement) throws(Failure) {
    let now = connection.reportedSetting("client_encoding")
    guard now != encoding, now != "UTF8" else { return }
    throw Failure(
      .localFailure,
      Diagnostic(
        program: OpenCommand.program,
        message: "the session's client_encoding is now \(now ?? "unknown")",
        place: statement.script.isFile ? statement.place : nil,
        details: [("HINT", "pg-open reads and writes UTF-8: leave client_encoding alone.")]))
  }
}

extension ParameterList {
  fileprivate var isAre: String { count == 1 ? "is" : "are" }
}

extension ScriptStatement {
  /// Whether running it again does nothing twice if it failed: a procedure may have committed before.
  fileprivate var mayRunAgain: Bool { !["CALL", "DO"].contains(piece.firstWord) }
}

extension StatementFailure {
  /// Whether the same may succeed at once or soon, nothing having taken effect.
  var mayPass: Bool {
    cause.fault == .server && cause.fields?.isFatal != true && cause.retry.isRetryable
  }
}

extension Failure {
  /// A COMMIT that was answered by ROLLBACK.
  static func rolledBack(_ place: SourcePlace?) -> Failure {
    Failure(
      .refused,
      Diagnostic(
        program: OpenCommand.program, severity: .error, code: .transactionRollback,
        message: "the transaction had failed, and COMMIT rolled it back", place: place))
  }
}
