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
  init(_ request: OpenRequest, operands: [String]) throws(Failure) {
    statements = request.statements
    parameters = try ParameterList(request.values)
    variables = try VariableList.parse(request.values.variables)
    retries = max(request.limits.retry ?? 0, 0)
    hasTags = request.messages.tags
    hasEach = request.values.each != nil
    let inputs =
      statements.file.count { $0 == "-" } + (request.values.each == "-" ? 1 : 0)
      + request.values.parameterFiles.count { $0.hasSuffix("=-") }
    guard inputs < 2 else { throw .usage("stdin can be read only once") }
    readsInput = inputs > 0
    try Self.check(request)
    var scripts = operands.enumerated().map { Script($1, called: "operand \($0 + 1)") }
    scripts += statements.command.enumerated().map { Script($1, called: "-c \($0 + 1)") }
    for path in statements.file { scripts.append(try Script(file: path)) }
    self.scripts = scripts
  }

  private static func check(_ request: OpenRequest) throws(Failure) {
    let flags = request.statements
    if flags.dryRun, !flags.gexec { throw .usage("--dry-run goes with --gexec") }
    if flags.idempotencyKey != nil,
      flags.rollback || flags.readOnly || flags.check || flags.checkDDL || flags.keepGoing
    {
      throw .usage(
        "--idempotency-key goes with work that takes effect as a whole, and with no --rollback, "
          + "--read-only, --keep-going or --check")
    }
    if request.values.rejects != nil, request.values.each == nil {
      throw .usage("--rejects goes with --each")
    }
    try requireOtherFiles(request)
    guard request.values.each != nil else { return }
    if flags.gexec { throw .usage("--each and --gexec do not go together") }
    let values = request.values
    if !values.parameters.isEmpty || !values.parameterFiles.isEmpty
      || !values.parameterVariables.isEmpty || !values.parameterNulls.isEmpty
    {
      throw .usage("--each gives the parameters their values, so there is no place for others")
    }
  }

  /// A file that is read must not be written: it would be empty before it is read.
  private static func requireOtherFiles(_ request: OpenRequest) throws(Failure) {
    let read = request.statements.file + (request.values.each.map { [$0] } ?? [])
    var written = request.values.rejects.map { [(name: "--rejects", path: $0)] } ?? []
    if let path = request.output.output, request.output.noAtomic { written.append(("-o", path)) }
    for (name, path) in written {
      guard let same = read.first(where: { OutputFile.isSameFile($0, path) }) else { continue }
      throw .usage("\(name) \(path) is the file that is read as \(same): write to another")
    }
    if let rejects = request.values.rejects, let path = request.output.output,
      OutputFile.isSameFile(rejects, path)
    {
      throw .usage("-o and --rejects are the same file")
    }
  }

  /// Looks at all statements before the first runs: what can be known to fail must not fail in the middle.
  ///
  /// Behind a statement that may change how strings are read, nothing can be looked at beforehand.
  ///
  /// - Throws: ``Failure``.
  func inspect(standardConformingStrings: Bool) throws(Failure) {
    var highest = 0
    var count = 0
    for script in scripts {
      var source = StatementSource(script)
      while let next = try source.next(standardConformingStrings: standardConformingStrings) {
        count += 1
        try requireRunnable(next)
        let number = SQL.highestParameter(
          in: next.piece.text, standardConformingStrings: standardConformingStrings)
        highest = max(highest, number)
        if !hasEach { try requireValues(next, for: number) }
        if next.mayChangeStrings(from: standardConformingStrings) { return }
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

  /// - Throws: ``Failure`` with status 64 if the command line lacks what the statement takes.
  private func requireValues(_ statement: ScriptStatement, for highest: Int) throws(Failure) {
    if statement.copyData == nil, readsInput, statement.piece.streamCopy == .fromProgram {
      throw .usage(
        "stdin is read as a script, so COPY … FROM STDIN has no data", place: statement.place)
    }
    guard statement.piece.streamCopy == nil, highest > parameters.count else { return }
    let (verb, plural) = parameters.count == 1 ? ("is", "") : ("are", "s")
    throw .usage(
      "the statement has a parameter $\(highest), but there \(verb) \(parameters.count) "
        + "value\(plural)",
      place: statement.place, hint: "-p gives a parameter its value")
  }

  /// - Throws: ``Failure`` with status 1 if the statement would end the transaction that holds
  ///   everything together.
  func requireRunnable(_ statement: ScriptStatement) throws(Failure) {
    guard isHeldTogether, statement.endsTransaction else { return }
    throw Failure(
      .localFailure,
      Diagnostic(
        program: OpenCommand.program,
        message: "\(statement.piece.firstWord) would end the transaction that everything is to be",
        place: statement.place,
        details: [("HINT", "take it out of the script, or leave out -1 and --rollback")]))
  }

  /// Whether no statement may end the transaction.
  var isHeldTogether: Bool {
    statements.isOneTransaction && !statements.check && !statements.checkDDL
  }
}
