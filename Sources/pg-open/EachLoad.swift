internal import PGCommandLine
internal import PGConnecting
internal import PGKit

// One statement for many rows: as many as fit go in one round trip, and each such batch is one
// transaction of the server's. When a row of it is refused, nothing of the batch is stored; so the rows
// in front of it are sent again, and then either all is over, or the rows behind it follow.

/// Runs a statement for each row of a file.
final class EachLoad {
  private var rows: any EachRows
  private let rejects: OutputFile?
  private var hasHeader = false
  private var hasRun = false
  private var isChecked = false
  private var retries = 0
  /// How many rows are sent at once now.
  private var pace = EachLoad.batchRows
  /// How often a batch was sent again.
  private(set) var repetitions = 0
  /// How many rows were stored, and how many refused.
  private(set) var stored = 0
  private(set) var rejected = 0
  /// How many rows the server says were changed by them.
  private(set) var changedRows = 0

  /// How many rows go in one round trip at most, and how many bytes.
  private static let batchRows = 256
  private static let batchBytes = 512 << 10

  /// Opens the files.
  ///
  /// - Throws: ``Failure`` with status 64 or 1.
  init?(_ flags: ValueFlags, nullText: String?) throws(Failure) {
    guard let path = flags.each else { return nil }
    guard let format = flags.eachFormat ?? EachFormat(nameOf: path) else {
      throw .usage("--each-format is needed: \(EachFormat.list)")
    }
    let columns = flags.eachColumns.map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    switch format {
    case .csv: rows = try CSVRows(path, columns: columns, nullText: nullText ?? "")
    case .ndjson: rows = try NDJSONRows(path, columns: columns)
    }
    if let path = flags.rejects {
      rejects = try OutputFile(path, program: OpenCommand.program, isAtomic: false)
    } else {
      rejects = nil
    }
  }

  /// Runs the statement.
  ///
  /// Whatever ends it, the rows refused so far are in their file: they may be nowhere else.
  ///
  /// - Parameter retries: How often a batch is sent again that may succeed then.
  /// - Throws: ``Failure``: that of the first row refused, if rejects are not kept; ``PGError`` for
  ///   what is no row's fault, or ``StandardOutput/Failure``.
  func run(
    _ sql: String, on connection: Connection, _ output: RowOutput, retries: Int
  ) throws {
    guard !hasRun else { throw Failure.usage("--each runs one statement, and there are more") }
    hasRun = true
    self.retries = connection.transactionStatus == .idle ? retries : 0
    do { try load(sql, on: connection, output) } catch {
      rejects?.abandon()
      throw error
    }
    try rejects?.finish()
  }

  private func load(_ sql: String, on connection: Connection, _ output: RowOutput) throws {
    let statement = try connection.prepare(sql)
    let count = statement.pgParameterTypes.count
    if let columns = rows.columns, count != columns.count {
      throw Failure.usage(
        "the statement has \(count) parameter\(count == 1 ? "" : "s"), but \(rows.name) has "
          + "\(columns.count) columns: \(columns.joined(separator: ", "))",
        hint: "--each-columns names those to use")
    }
    let kinds = try statement.sqlParameterTypes().map { ParameterKind(typeName: $0) }
    let loader = BatchLoader(
      statement: statement, kinds: kinds, isInTransaction: connection.transactionStatus != .idle,
      keepsRejects: rejects != nil)
    if statement.givesRows {
      try runOneByOne(sql, loader, output)
    } else {
      try runInBatches(loader)
    }
    try Interruptions.shared.check()
  }

  private func runInBatches(_ loader: BatchLoader) throws {
    var batch: [EachRow] = []
    var size = 0
    while let row = try rows.next() {
      if !batch.isEmpty,
        row.fault != nil || batch.count >= Self.batchRows || size + row.size > Self.batchBytes
      {
        try send(batch, loader)
        (batch, size) = ([], 0)
      }
      try Interruptions.shared.check()
      if let fault = row.fault {
        try refuse(row, fault, loader)
        continue
      }
      batch.append(row)
      size += row.size
    }
    try Interruptions.shared.check()
    try requireColumns()
    try send(batch, loader)
  }

  /// A key that no row has is a slip of the pen, and would store NULL in each.
  private func requireColumns() throws(Failure) {
    if isChecked { return }
    isChecked = true
    guard let column = rows.missingColumn else { return }
    throw .usage("no row of \(rows.name) has a key \"\(column)\", as far as was read")
  }

  /// Sends a batch: after a refusal less at once, for what stands behind the row is sent again.
  private func send(_ batch: [EachRow], _ loader: BatchLoader) throws {
    try requireColumns()
    var rest = batch[...]
    while !rest.isEmpty {
      try Interruptions.shared.check()
      var part = rest.prefix(pace)
      let behind = rest.dropFirst(pace)
      let refusal = try sendAgain(&part, loader)
      rest = part.isEmpty ? behind : part + behind
      pace = refusal == nil ? min(pace * 2, Self.batchRows) : max(pace / 2, 1)
      if let refusal { try refuse(refusal.row, failure(of: refusal), loader) }
    }
  }

  /// Sends rows, and again what failed for a reason that passes: nothing of it is stored then.
  private func sendAgain(
    _ rows: inout ArraySlice<EachRow>, _ loader: BatchLoader
  ) throws -> BatchLoader.Refusal? {
    let policy = RetryPolicy(triesAll: false, longest: .seconds(5))
    var attempts = 0
    while true {
      do throws(PGError) {
        return try loader.send(&rows, stored: &stored, changed: &changedRows)
      } catch {
        guard attempts < retries, error.fault == .server, error.fields?.isFatal != true,
          error.retry.isRetryable, !Interruptions.shared.isInterrupted
        else { throw error }
        policy.sleep(before: attempts, until: .never)
        attempts += 1
        repetitions += 1
      }
    }
  }

  private func failure(of refusal: BatchLoader.Refusal) -> Failure {
    refusal.error.failure(
      of: OpenCommand.program, status: .refused,
      place: SourcePlace(rows.name, line: refusal.row.line))
  }

  /// A statement that gives rows: what each gives is printed, so each is waited for.
  private func runOneByOne(_ sql: String, _ loader: BatchLoader, _ output: RowOutput) throws {
    let connection = loader.statement.connection
    var printing = output.beginSeries()
    while let row = try rows.next() {
      try Interruptions.shared.check()
      if let fault = row.fault {
        try refuse(row, fault, loader)
        continue
      }
      do throws(PGError) {
        try loader.protect { () throws(PGError) in
          let chunks = try connection.query.text(
            sql, loader.texts(of: row), learnsTypes: output.isJSON)
          printing.failure = nil
          try printing.take(chunks)
        }
        stored += 1
      } catch {
        guard error.isOfRow else { throw error }
        try refuse(row, failure(of: BatchLoader.Refusal(row: row, error: error)), loader)
      }
      if let failure = printing.failure { throw failure }
    }
    try requireColumns()
    try printing.end()
  }

  /// Keeps a row that was refused, or ends everything because of it.
  private func refuse(_ row: EachRow, _ failure: Failure, _ loader: BatchLoader) throws {
    guard let rejects else {
      throw stored == 0 || loader.isInTransaction
        ? failure : failure.adding("STORED", "\(stored) rows before it, which stay")
    }
    failure.diagnostic?.print(status: .refused)
    rejected += 1
    if !hasHeader { try rejects.output.write(String(decoding: rows.header, as: UTF8.self)) }
    hasHeader = true
    try row.source.withUnsafeBytes { bytes in try rejects.output.write(bytes) }
    try rejects.output.flush()
  }
}

extension PGError {
  /// Whether a row's values are the reason, rather than the server's state, rights, or an end that was
  /// asked for: those would refuse every row.
  var isOfRow: Bool {
    if fault == .caller { return true }
    guard fault == .server, fields?.isFatal != true, !retry.isRetryable else { return false }
    return !["08", "25", "28", "40", "53", "55", "57", "58", "F0", "XX"]
      .contains(code.classCharacters)
  }
}

/// Sends rows in batches, and finds the one that was refused.
struct BatchLoader {
  /// A row that was refused, and why.
  struct Refusal {
    let row: EachRow
    let error: PGError
  }

  let statement: Statement
  /// What the parameters are.
  let kinds: [ParameterKind]
  let isInTransaction: Bool
  let keepsRejects: Bool

  /// The row's values in their types' text form.
  func texts(of row: EachRow) -> [String?] {
    row.values.enumerated().map { index, value in
      value.parameterText(for: index < kinds.count ? kinds[index] : .other)
    }
  }

  /// Sends rows until one is refused, which is taken out with those in front of it; there may be others
  /// left even if none was.
  ///
  /// - Throws: ``PGError`` that has nothing to do with a row.
  func send(
    _ rows: inout ArraySlice<EachRow>, stored: inout Int, changed: inout Int
  ) throws(PGError) -> Refusal? {
    do throws(PGError) {
      changed += try load(rows)
      stored += rows.count
      rows = []
      return nil
    } catch {
      guard error.isOfRow, let index = Self.index(of: error) else { throw error }
      // Refused when all had run, as a deferred constraint is: half of them is tried.
      guard index < rows.count else { return try sendHalf(of: &rows, error, &stored, &changed) }
      let row = rows[rows.startIndex + index]
      // In a transaction that is lost anyway, nothing needs to be stored.
      if index > 0, keepsRejects || !isInTransaction {
        changed += try load(rows.prefix(index))
        stored += index
      }
      rows = rows.dropFirst(index + 1)
      return Refusal(row: row, error: error)
    }
  }

  private func sendHalf(
    of rows: inout ArraySlice<EachRow>, _ error: PGError, _ stored: inout Int, _ changed: inout Int
  ) throws(PGError) -> Refusal? {
    guard rows.count > 1 else {
      let refusal = rows.first.map { Refusal(row: $0, error: error) }
      rows = []
      return refusal
    }
    var half = rows.prefix(rows.count / 2)
    let behind = rows.dropFirst(rows.count / 2)
    let refusal = try send(&half, stored: &stored, changed: &changed)
    rows = half + behind
    return refusal
  }

  /// - Returns: How many rows were changed.
  private func load(_ rows: ArraySlice<EachRow>) throws(PGError) -> Int {
    let values = rows.map { row -> [(any PGEncodable)?] in
      texts(of: row).map { $0.map { UntypedText(text: $0) } }
    }
    var changed = 0
    try protect { () throws(PGError) in
      changed = try statement.loadRows(values, batchSize: max(values.count, 1))
    }
    return changed
  }

  /// Runs `body` so that its failure leaves a transaction under way usable.
  func protect(_ body: () throws(PGError) -> Void) throws(PGError) {
    guard isInTransaction, keepsRejects else { return try body() }
    let connection = statement.connection
    try connection.execute("SAVEPOINT pgkit_each")
    do throws(PGError) { try body() } catch {
      if !connection.isClosed { try connection.execute("ROLLBACK TO SAVEPOINT pgkit_each") }
      throw error
    }
    try connection.execute("RELEASE SAVEPOINT pgkit_each")
  }

  /// Which of the rows an error is about.
  private static func index(of error: PGError) -> Int? {
    error.origin.creators.first { $0.label == "ROW" }.flatMap { Int($0.summary) }
  }
}

/// A text that the server is to understand, whatever the parameter's type is.
private struct UntypedText: PGEncodable {
  let text: String

  func encodingFormat(for type: PGType) -> PGFormat? { .text }

  func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try encodeText(as: type, into: &writer)
  }

  func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeText(text)
  }
}
