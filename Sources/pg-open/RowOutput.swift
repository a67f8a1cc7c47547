internal import Glibc
internal import PGCommandLine
internal import PGKit

/// Where rows go: through the format into stdout or a file.
final class RowOutput {
  /// Whether values become JSON.
  let isJSON: Bool
  /// Whether the columns are to be described first.
  let hasSchema: Bool
  let output: StandardOutput
  private let file: OutputFile?
  /// Whether rows go to stdout.
  var isOnStandardOutput: Bool { file == nil }
  private var printer: any RowPrinter
  private var expectation: Expectation
  private var buffer = OutputBuffer()
  /// Whether rows are printed on a terminal, which they must not command.
  private let isSeenByPeople: Bool
  private let isArray: Bool
  /// How many rows were printed.
  private(set) var rowCount = 0
  /// How many of them are of the current result.
  private var rowsOfResult = 0
  private var hadResult = false
  private var rowCountBefore = 0
  private var hadResultBefore = false
  /// What becomes of values that are not UTF-8; `nil` where the server sends none.
  private var unknownText: UnknownText?
  private let unknownTextForm: UnknownText

  /// Opens it.
  ///
  /// - Throws: ``Failure`` with status 64, or 1 for a file that cannot be written.
  init(_ flags: OutputFlags, _ expectations: ExpectationFlags) throws(Failure) {
    let format: OutputFormat
    if let given = flags.format { format = given } else { format = try OutputFormat.byDefault() }
    isJSON = format.isJSON
    hasSchema = flags.jsonSchema
    unknownTextForm = flags.unknownText
    if hasSchema, !isJSON { throw .usage("--json-schema goes with --format jsonl or json") }
    if flags.output == "" { throw .usage("-o needs the name of a file") }
    try format.requireSafe(nullText: flags.nullText)
    isArray = format == .json && !expectations.scalar
    isSeenByPeople = (flags.output ?? "-") == "-" && isatty(STDOUT_FILENO) == 1 && format != .nul
    if let path = flags.output, path != "-" {
      let file = try OutputFile(path, program: OpenCommand.program, isAtomic: !flags.noAtomic)
      (self.file, output) = (file, file.output)
    } else {
      (file, output) = (nil, .shared)
    }
    let options = flags.options
    printer =
      expectations.scalar
      ? ScalarPrinter(nullText: options.nullText ?? "", json: isJSON ? options.json : nil)
      : format.makePrinter(options)
    expectation = Expectation(expectations)
  }

  /// Says that the session's texts may be in any encoding.
  func expectUnknownText() { unknownText = unknownTextForm == .keep ? nil : unknownTextForm }

  /// Prints a result as it comes.
  ///
  /// - Parameter place: Where its statement is.
  /// - Throws: ``PGError``, ``Failure`` or ``StandardOutput/Failure``.
  func print(_ chunks: Chunks, of place: () -> SourcePlace?) throws {
    var series = beginSeries()
    try series.take(chunks)
    if let failure = series.failure { throw failure }
    try series.end(of: place)
  }

  /// Begins to print the rows of one statement, or of one that runs several times.
  func beginSeries() -> RowSeries { RowSeries(self) }

  fileprivate func begin(_ columns: [Column]) throws {
    if hadResult, expectation.isScalar {
      throw Failure(
        .negative,
        Diagnostic(
          program: OpenCommand.program,
          message: "expected one value, but another statement gives rows, too"))
    }
    hadResult = true
    rowsOfResult = 0
    expectation.begin(columns)
    try printer.begin(columns, &buffer)
  }

  fileprivate func print(_ batch: RowBatch) throws {
    var batch = batch
    if let unknownText { batch = try unknownText.mended(batch, rowsBefore: rowsOfResult) }
    rowCount += batch.count
    Progress.shared.printed(batch.count)
    rowsOfResult += batch.count
    expectation.see(batch)
    if expectation.isExceeded { return }
    do throws(Failure) { try printer.print(batch, &buffer) } catch {
      try keepRows()
      throw error
    }
    // What is as much as the output takes at once goes there without being copied.
    if !expectation.holdsBack, buffer.count >= StandardOutput.capacity { try drain() }
  }

  /// Keeps the rows that came before a result failed, the last line whole.
  fileprivate func keepRows() throws {
    if expectation.holdsBack { buffer = OutputBuffer() }
    if isArray, rowsOfResult > 0 { buffer.append("\n") }
    try drain()
  }

  fileprivate func end(_ place: () -> SourcePlace?) throws {
    if !expectation.isExceeded { try printer.end(&buffer) }
    do throws(Failure) { try expectation.requireFulfilled(place) } catch {
      if expectation.holdsBack {
        buffer = OutputBuffer()
        rowCount -= rowsOfResult
      }
      try drain()
      throw error
    }
    // Nothing is printed of what must be one value or row before it is known that nothing failed.
    if !expectation.holdsBack { try drain() }
  }

  private func drain() throws(StandardOutput.Failure) {
    if isSeenByPeople, buffer.count > 0 {
      let text = Diagnostic.escapingControls(String(decoding: buffer.bytes, as: UTF8.self))
      buffer = OutputBuffer()
      buffer.append(text)
    }
    try buffer.drain(to: output)
  }

  /// Writes a text of our own, such as a line of JSON.
  func write(_ text: String) throws(StandardOutput.Failure) { try output.write(text) }

  /// Writes what a COPY gives.
  func write(_ bytes: UnsafeRawBufferPointer) throws(StandardOutput.Failure) {
    guard isSeenByPeople else { return try output.write(bytes) }
    try output.write(Diagnostic.escapingControls(String(decoding: bytes, as: UTF8.self)))
  }

  /// Lets people see the rows before a message; a failure is known at the end.
  func flushRows() {
    if output.hasReader, output.isHungUp { return }
    try? output.flush()
  }

  /// Takes back what was held; `false` if some of it was too much to hold, and is written.
  func takeBack() -> Bool {
    guard output.takeBack() else { return false }
    rowCount = rowCountBefore
    hadResult = hadResultBefore
    buffer = OutputBuffer()
    return true
  }

  /// Begins to hold back what comes, so that it can be taken back.
  ///
  /// - Throws: ``StandardOutput/Failure``.
  func hold() throws(StandardOutput.Failure) {
    try output.hold()
    (rowCountBefore, hadResultBefore) = (rowCount, hadResult)
  }

  /// Makes sure that there was something of which what is expected could be true, and prints what waited
  /// for that.
  ///
  /// - Throws: ``Failure`` with status 6, or ``StandardOutput/Failure``.
  func requireResult() throws {
    if hadResult { try drain() }
    guard expectation.isAny, !hadResult else { return }
    throw Failure(
      .negative,
      Diagnostic(
        program: OpenCommand.program,
        message: "no statement gave rows, and something is expected of them"))
  }

  /// Forgets what was printed, because all of it is done again.
  func restart() {
    rowCount = 0
    hadResult = false
    buffer = OutputBuffer()
  }

  /// Ends in failure: a file that would not be whole does not appear.
  func abandon() { file?.abandon() }

  /// Gives the file its name.
  ///
  /// - Throws: ``StandardOutput/Failure``.
  func finish() throws { try file?.finish() }
}

/// The rows of a statement that runs once or several times, printed as one result.
struct RowSeries {
  private let output: RowOutput
  private var hasBegun = false
  /// What went wrong with printing, as opposed to running.
  var failure: (any Error)?

  fileprivate init(_ output: RowOutput) { self.output = output }

  /// Prints the rows of one run; a failure of printing is kept for the caller.
  mutating func take(_ chunks: Chunks) throws(PGError) {
    do throws(PGError) { try takeAll(chunks) } catch {
      do { try output.keepRows() } catch { failure = error }
      throw error
    }
  }

  private mutating func takeAll(_ chunks: Chunks) throws(PGError) {
    while let batch = try chunks.next() {
      guard failure == nil else { continue }
      do {
        if !hasBegun { try output.begin(batch.columns) }
        hasBegun = true
        try output.print(batch)
      } catch {
        failure = error
        return
      }
    }
    if hasBegun || chunks.columns.isEmpty { return }
    hasBegun = true
    do { try output.begin(chunks.columns) } catch { failure = error }
  }

  /// Ends the result.
  func end(of place: () -> SourcePlace? = { nil }) throws {
    if hasBegun { try output.end(place) }
  }
}
