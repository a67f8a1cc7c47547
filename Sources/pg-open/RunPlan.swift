internal import PGCommandLine
internal import PGKit

/// What the command line says about running statements.
struct RunPlan {
  let scripts: [Script]
  let parameters: ParameterList
  let variables: [String: String]
  let statements: StatementFlags
  let retries: Int
  let hasTags: Bool
  /// Whether stdin is read as a script, so that no COPY can have it.
  let readsInput: Bool
  let hasEach: Bool

  /// Gathers it, reading files.
  ///
  /// - Parameter operands: The statements among the operands.
  /// - Throws: ``Failure`` with status 64 for what contradicts itself, 1 for a file that cannot be read.
  init(_ command: OpenCommand, operands: [String]) throws(Failure) {
    statements = command.statements
    parameters = try ParameterList(command.values)
    variables = try VariableList.parse(command.values.variables)
    retries = max(command.limits.retry ?? 0, 0)
    hasTags = command.messages.tags
    hasEach = command.values.each != nil
    let inputs =
      statements.file.count { $0 == "-" } + (command.values.each == "-" ? 1 : 0)
      + command.values.parameterFiles.count { $0.hasSuffix("=-") }
    guard inputs < 2 else { throw .usage("stdin can be read only once") }
    readsInput = inputs > 0
    try Self.check(command)
    var scripts = operands.enumerated().map { Script($1, called: "operand \($0 + 1)") }
    scripts += statements.command.enumerated().map { Script($1, called: "-c \($0 + 1)") }
    for path in statements.file { scripts.append(try Script(file: path)) }
    self.scripts = scripts
  }

  private static func check(_ command: OpenCommand) throws(Failure) {
    let flags = command.statements
    if flags.dryRun, !flags.gexec { throw .usage("--dry-run goes with --gexec") }
    if flags.idempotencyKey != nil,
      flags.rollback || flags.readOnly || flags.check || flags.checkDDL || flags.keepGoing
    {
      throw .usage(
        "--idempotency-key goes with work that takes effect as a whole, and with no --rollback, "
          + "--read-only, --keep-going or --check")
    }
    if command.values.rejects != nil, command.values.each == nil {
      throw .usage("--rejects goes with --each")
    }
    guard command.values.each != nil else { return }
    if flags.gexec { throw .usage("--each and --gexec do not go together") }
    let values = command.values
    if !values.parameters.isEmpty || !values.parameterFiles.isEmpty
      || !values.parameterVariables.isEmpty || !values.parameterNulls.isEmpty
    {
      throw .usage("--each gives the parameters their values, so there is no place for others")
    }
  }

  /// Looks at all statements before the first runs: what can be known to fail must not fail in the middle.
  ///
  /// A script that changes how strings are read cannot be looked at beforehand.
  ///
  /// - Throws: ``Failure``.
  func inspect(standardConformingStrings: Bool) throws(Failure) {
    var highest = 0
    var count = 0
    for script in scripts {
      guard !script.text.lowercased().contains("standard_conforming_strings") else { return }
      var source = StatementSource(script)
      while let next = try source.next(standardConformingStrings: standardConformingStrings) {
        count += 1
        try requireRunnable(next)
        highest = max(
          highest,
          SQL.highestParameter(
            in: next.piece.text, standardConformingStrings: standardConformingStrings))
      }
    }
    if hasEach {
      guard count == 1 else { throw .usage("--each runs one statement, and there are \(count)") }
      return
    }
    if parameters.count > highest {
      throw .usage(
        "there is a value for parameter $\(highest + 1), but no statement has one",
        hint: "a COPY and what defines something take no parameters")
    }
  }

  /// - Throws: ``Failure`` with status 1 if the statement would end the transaction that holds
  ///   everything together.
  func requireRunnable(_ statement: ScriptStatement) throws(Failure) {
    guard statements.isOneTransaction, !statements.check, !statements.checkDDL,
      statement.endsTransaction
    else { return }
    throw Failure(
      .localFailure,
      Diagnostic(
        program: OpenCommand.program,
        message: "\(statement.piece.firstWord) would end the transaction that everything is to be",
        place: statement.place,
        details: [("HINT", "take it out of the script, or leave out -1 and --rollback")]))
  }
}

extension ScriptStatement {
  /// Whether it ends a transaction block by its own words.
  var endsTransaction: Bool {
    switch piece.firstWord {
    case "COMMIT", "END", "ABORT": true
    case "ROLLBACK": !words(2...4).contains("TO")
    case "PREPARE": words(2...2) == ["TRANSACTION"]
    default: false
    }
  }

  private func words(_ range: ClosedRange<Int>) -> [String] {
    let words = piece.text.split { !$0.isLetter && $0 != "_" }.prefix(range.upperBound)
    return words.dropFirst(range.lowerBound - 1).map { $0.uppercased() }
  }
}
