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
  /// How many rows were stored, and how many refused.
  private(set) var stored = 0
  private(set) var rejected = 0

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
  /// - Throws: ``Failure``: that of the first row refused, if rejects are not kept.
  func run(
    _ sql: String, on connection: Connection, _ output: RowOutput
  ) throws {
    let statement = try connection.prepare(sql)
    let count = statement.pgParameterTypes.count
    guard count == rows.columns.count || rows.columns.isEmpty else {
      throw Failure.usage(
        "the statement has \(count) parameter\(count == 1 ? "" : "s"), but \(rows.name) has "
          + "\(rows.columns.count) columns: \(rows.columns.joined(separator: ", "))",
        hint: "--each-columns names those to use")
    }
    let arrays = try statement.sqlParameterTypes().map { $0.hasSuffix("[]") }
    let loader = BatchLoader(
      statement: statement, arrays: arrays, isInTransaction: connection.transactionStatus != .idle,
      keepsRejects: rejects != nil)
    if statement.givesRows {
      try runOneByOne(sql, loader, output)
    } else {
      try runInBatches(loader)
    }
    try rejects?.finish()
  }

  private func runInBatches(_ loader: BatchLoader) throws {
    var batch: [EachRow] = []
    var size = 0
    while let row = try rows.next() {
      if !batch.isEmpty, batch.count >= Self.batchRows || size + row.size > Self.batchBytes {
        try send(batch, loader)
        (batch, size) = ([], 0)
      }
      batch.append(row)
      size += row.size
      if Interruptions.shared.signal != nil || Interruptions.shared.isExpired { return }
    }
    try send(batch, loader)
  }

  private func send(_ batch: [EachRow], _ loader: BatchLoader) throws {
    var rest = batch[...]
    while !rest.isEmpty {
      if let refusal = try loader.send(&rest, stored: &stored) {
        try refuse(refusal.row, refusal.error)
      }
    }
  }

  /// A statement that gives rows: what each gives is printed, so each is waited for.
  private func runOneByOne(_ sql: String, _ loader: BatchLoader, _ output: RowOutput) throws {
    let connection = loader.statement.connection
    var printing = output.beginSeries()
    while let row = try rows.next() {
      if Interruptions.shared.signal != nil || Interruptions.shared.isExpired { return }
      do throws(PGError) {
        try loader.protect { () throws(PGError) in
          let chunks = try connection.query.text(
            sql, loader.texts(of: row), learnsTypes: output.isJSON)
          printing.failure = nil
          try printing.take(chunks)
        }
        stored += 1
      } catch {
        guard error.fault == .server, error.fields?.isFatal != true else { throw error }
        try refuse(row, error)
      }
      if let failure = printing.failure { throw failure }
    }
    try printing.end()
  }

  /// Keeps a row that was refused, or ends everything because of it.
  private func refuse(_ row: EachRow, _ error: PGError) throws {
    let failure = error.failure(
      of: OpenCommand.program, status: .refused,
      place: SourcePlace(rows.name, line: row.line))
    guard let rejects else { throw failure }
    failure.diagnostic?.print(status: .refused)
    rejected += 1
    if !hasHeader { try rejects.output.write(String(decoding: rows.header, as: UTF8.self)) }
    hasHeader = true
    try row.source.withUnsafeBytes { bytes in try rejects.output.write(bytes) }
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
  /// Which parameters are arrays.
  let arrays: [Bool]
  let isInTransaction: Bool
  let keepsRejects: Bool

  /// The row's values in their types' text form.
  func texts(of row: EachRow) -> [String?] {
    row.values.enumerated().map { index, value in
      value.parameterText(isArray: index < arrays.count && arrays[index])
    }
  }

  /// Sends rows until one is refused, which is taken out with those in front of it; there may be others
  /// left even if none was.
  ///
  /// - Throws: ``PGError`` that has nothing to do with a row.
  func send(_ rows: inout ArraySlice<EachRow>, stored: inout Int) throws(PGError) -> Refusal? {
    do throws(PGError) {
      try load(rows)
      stored += rows.count
      rows = []
      return nil
    } catch {
      let isOfRow =
        error.fault == .server && error.fields?.isFatal != true || error.fault == .caller
      guard isOfRow, let index = Self.index(of: error) else { throw error }
      // Refused when all had run, as a deferred constraint is: half of them is tried.
      guard index < rows.count else { return try sendHalf(of: &rows, error, stored: &stored) }
      let row = rows[rows.startIndex + index]
      // In a transaction that is lost anyway, nothing needs to be stored.
      if index > 0, keepsRejects || !isInTransaction {
        try load(rows.prefix(index))
        stored += index
      }
      rows = rows.dropFirst(index + 1)
      return Refusal(row: row, error: error)
    }
  }

  private func sendHalf(
    of rows: inout ArraySlice<EachRow>, _ error: PGError, stored: inout Int
  ) throws(PGError) -> Refusal? {
    guard rows.count > 1 else {
      let refusal = rows.first.map { Refusal(row: $0, error: error) }
      rows = []
      return refusal
    }
    var half = rows.prefix(rows.count / 2)
    let behind = rows.dropFirst(rows.count / 2)
    let refusal = try send(&half, stored: &stored)
    rows = half + behind
    return refusal
  }

  private func load(_ rows: ArraySlice<EachRow>) throws(PGError) {
    let values = rows.map { row -> [(any PGEncodable)?] in
      texts(of: row).map { $0.map { UntypedText(text: $0) } }
    }
    try protect { () throws(PGError) in
      _ = try statement.loadRows(values, batchSize: max(values.count, 1))
    }
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
