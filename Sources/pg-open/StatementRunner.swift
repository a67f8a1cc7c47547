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

/// What ends everything, whatever `--keep-going` says: what follows would not be what was asked for.
struct RunEnded: Error {
  let failure: Failure
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
  private var readOnly: ReadOnlyGuard

  init(_ connection: Connection, _ plan: RunPlan, _ output: RowOutput, _ each: EachLoad?) {
    (self.connection, self.plan, self.output, self.each) = (connection, plan, output, each)
    readOnly = ReadOnlyGuard(connection, isOn: plan.statements.readOnly)
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
        try runOrGoOn(next) {
          try runRepeatedly(next)
          tally.succeeded()
        }
        try Interruptions.shared.check()
      }
    }
  }

  /// Runs a statement; with `--keep-going`, its failure is told and does not end everything.
  private func runOrGoOn(_ statement: ScriptStatement, _ body: () throws -> Void) throws {
    Progress.shared.begin(statement)
    do {
      try body()
      DiagnosticLog.shared.succeeded("\(statement.place) \(statement.piece.firstWord)")
    } catch let failed as StatementFailure {
      let goesOn =
        plan.statements.keepGoing && !connection.isClosed && !Interruptions.shared.isInterrupted
      // What follows a failure in a transaction fails for that reason; it is enough to count it.
      if goesOn, failed.cause.code == .inFailedSqlTransaction {
        return tally.skipped(failed.failure.status)
      }
      tally.failed(failed.failure.status)
      guard goesOn else { throw failed }
      tell(failed.failure)
    } catch let failure as Failure {
      tally.failed(failure.status)
      guard plan.statements.keepGoing, !Interruptions.shared.isInterrupted,
        failure.status != .deadline
      else { throw failure }
      tell(failure)
    }
  }

  /// Tells of a failure behind the rows that came before it.
  private func tell(_ failure: Failure) {
    output.flushRows()
    failure.diagnostic?.print(status: failure.status)
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
        && each == nil && !hasReadInput && !Interruptions.shared.isInterrupted
        && output.takeBack()
      {
        tally.repeated()
        policy.sleep(before: attempts, until: .never)
        try Interruptions.shared.check()
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
      try readOnly.prepare(for: statement)
      if let each, !isProduct {
        defer { tally.add(each) }
        try each.run(text.text, on: connection, output, retries: plan.retries)
        if each.rejected > 0 { tally.reached(.refused) }
      } else if let direction = statement.piece.streamCopy {
        try copy(direction, statement, text)
      } else {
        try query(statement, text, isProduct: isProduct)
      }
    } catch {
      readOnly.giveUp()
      guard let error = error as? PGError else { throw error }
      throw failure(of: error, statement, text)
    }
    try requireSession(after: statement)
  }

  private func substitute(_ statement: ScriptStatement) throws -> SubstitutedText {
    do throws(PGError) {
      return try SubstitutedText(
        statement.piece.text, plan.variables, behind: statement.piece.comments,
        standardConformingStrings: hasConformingStrings)
    } catch {
      throw error.failure(of: OpenCommand.program, status: .usage, place: statement.place)
    }
  }

  private func failure(
    of error: PGError, _ statement: ScriptStatement, _ text: SubstitutedText
  ) -> StatementFailure {
    var failure = error.failure(
      of: OpenCommand.program, place: statement.place(of: error, in: text))
    if error.code == .syntaxError, let position = error.fields?.position,
      let hint = Self.hint(for: text.scalar(atPosition: position))
    {
      failure = failure.adding("HINT", hint)
    }
    return StatementFailure(failure: failure, cause: error)
  }

  /// What somebody who is used to psql may not know.
  private static func hint(for scalar: Unicode.Scalar?) -> String? {
    switch scalar {
    case "\\": "commands with a backslash are psql's; a script holds SQL alone"
    case ":": "-v n=… is the value of :'n' and :\"n\", and of nothing else; -p is that of $1"
    default: nil
    }
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
        place: statement.place, hint: "-p gives a parameter its value")
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
      try runProducts(of: chunks, statement)
    } else {
      try output.print(chunks, of: { statement.place })
    }
    try note(chunks.tag, of: statement)
  }

  private func note(_ tag: CommandTag?, of statement: ScriptStatement) throws {
    guard let tag else { return }
    if plan.hasTags { StandardError.print("\(tag)") }
    tally.note(tag)
    // A transaction that has failed is rolled back by COMMIT, and that is no success.
    if tag.description == "ROLLBACK", statement.isToCommit {
      throw Failure.rolledBack(statement.place)
    }
  }

  // MARK: SQL that is made by SQL

  private func runProducts(of chunks: Chunks, _ statement: ScriptStatement) throws {
    if plan.statements.dryRun {
      return try Product.forEach(of: chunks) { product in
        try forEachStatement(of: product, statement) { try output.write($0.piece.text + ";\n") }
      }
    }
    // The connection is busy until the last row has come, so that all of them are kept.
    var products: [Product] = []
    try Product.forEach(of: chunks) { products.append($0) }
    for product in products {
      try forEachStatement(of: product, statement) { next in
        try runOrGoOn(next) { try run(next, isProduct: true) }
      }
    }
  }

  private func forEachStatement(
    of product: Product, _ statement: ScriptStatement, _ body: (ScriptStatement) throws -> Void
  ) throws {
    let origin = statement.piece.offset == 0 ? statement.script.name : "\(statement.place)"
    let name = "\(origin), row \(product.row), column \(product.column)"
    var source = StatementSource(Script(product.sql, called: name))
    while let next = try source.next(standardConformingStrings: hasConformingStrings) {
      try body(next)
      try Interruptions.shared.check()
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
        try chunk.forEach { try output.write($0) }
      }
      try note(stream.tag, of: statement)
    case .fromProgram:
      if statement.copyData == nil, plan.readsInput {
        throw Failure.usage(
          "stdin is read as a script, so COPY … FROM STDIN has no data", place: statement.place)
      }
      let stream = try connection.copyIn(text.text)
      if let data = statement.copyData {
        warnOfEnd(data, statement)
        var rest = data
        while !rest.isEmpty {
          try stream.write(Array(rest.prefix(Self.pieceSize)))
          rest = rest.dropFirst(Self.pieceSize)
        }
      } else {
        hasReadInput = true
        try sendInput(to: stream)
      }
      let tag = try stream.finish()
      tally.noteStored(tag)
      try note(tag, of: statement)
    }
  }

  /// A file that was cut off looks like one that ends where the data ends.
  private func warnOfEnd(_ data: ArraySlice<UInt8>, _ statement: ScriptStatement) {
    guard data.endIndex == statement.script.bytes.count else { return }
    Diagnostic(
      program: OpenCommand.program, severity: .warning,
      message: "the data ends with the file, and not with a line \\.", place: statement.place,
      details: [("HINT", "is the file whole?")]
    ).print()
  }

  /// How much of the data goes to the server at once.
  private static let pieceSize = 256 << 10

  private func sendInput(to stream: CopyInStream) throws {
    while true {
      let piece: [UInt8]?
      do throws(Failure) {
        piece = try StandardInput.readPiece(
          upTo: Self.pieceSize, program: OpenCommand.program,
          while: { !Interruptions.shared.isInterrupted })
      } catch {
        try? stream.fail("stdin could not be read")
        throw error
      }
      guard let piece else { break }
      try stream.write(piece)
    }
    if Interruptions.shared.isInterrupted {
      try? stream.fail("the copying was interrupted")
      try Interruptions.shared.check()
    }
  }

  // MARK: What must be true of the session

  private func requireSession(after statement: ScriptStatement) throws {
    try requireEncoding(after: statement)
    try requireTransaction(after: statement)
    try readOnly.check(after: statement)
  }

  /// Whatever way a statement has found to end the transaction that everything is to be, what follows
  /// it would take effect by itself.
  private func requireTransaction(after statement: ScriptStatement) throws {
    guard plan.isHeldTogether, connection.transactionStatus == .idle else { return }
    throw RunEnded(
      failure: Failure(
        .localFailure,
        Diagnostic(
          program: OpenCommand.program,
          message:
            "\(statement.piece.firstWord) has ended the transaction that everything is to be",
          place: statement.place)))
  }

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
        place: statement.place,
        details: [("HINT", "pg-open reads and writes UTF-8: leave client_encoding alone.")]))
  }
}

extension ParameterList {
  fileprivate var isAre: String { count == 1 ? "is" : "are" }
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
