internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// What one run of pg-copy does: connect all ends, relay, compare, commit, report.
final class CopyJob {
  private let source: ServerEnd?
  private var rows: CopySource
  private let receivers: [Receiver]
  private let format: CopyFormat
  private let quiet: Bool
  private let start = ContinuousClock.now

  /// Makes the job of the command line.
  ///
  /// - Throws: ``Failure`` with status 64.
  init(_ command: CopyCommand) throws(Failure) {
    rows = CopySource(parsing: command.rows)
    format = command.format
    quiet = command.quiet
    let isStandardInput = command.source == "-"
    if isStandardInput, case .query = rows {
      throw .usage("from stdin, rows are copied into a table: write its name instead of a query")
    }
    guard !command.receivers.isEmpty else {
      throw .usage("no receiver is given", hint: "--to names one; --to - is stdout")
    }
    var operands: [ReceiverOperand] = []
    for text in command.receivers { operands.append(try ReceiverOperand(text)) }
    let outputs = operands.count { $0.isStandardOutput }
    guard outputs < 2 else { throw .usage("stdout can receive only once") }
    guard outputs == 0 || !isStandardInput else { throw .usage("stdin to stdout is cat's work") }
    if case .query = rows,
      operands.contains(where: { $0.table == nil && !$0.isStandardOutput })
    {
      throw .usage("a query has no table's name to copy into", hint: "--to 'IRI;table=NAME'")
    }
    source =
      isStandardInput
      ? nil : try ServerEnd("source", iri: command.source.isEmpty ? nil : command.source)
    var receivers: [Receiver] = []
    for (index, operand) in operands.enumerated() {
      receivers.append(try Receiver(operand, number: index + 1))
    }
    self.receivers = receivers
  }

  /// Runs it.
  ///
  /// - Throws: ``Failure`` or ``StandardOutput/Failure``.
  func run() throws {
    defer { source?.rollback() }
    do {
      let transfer = try prepare()
      try relay(transfer)
      try finish(transfer)
      try commit()
      try conclude(transfer)
    } catch {
      for receiver in receivers { receiver.rollback(.localFailure) }
      if Interruptions.shared.signal != nil, committed == 0 {
        throw Failure(.localFailure, note("interrupted; nothing was committed"))
      }
      throw error
    }
  }

  // MARK: Before

  /// Connects all ends and opens the way for the data.
  private func prepare() throws -> CopyTransfer {
    let connection = try openSource()
    var identities: [String: String] = [:]
    if let connection, let source, let table = rows.table {
      let identity = try fromSource { () throws(PGError) in try connection.identity(of: table) }
      identities[identity] = source.label
    }
    var ends: [any CopyReceiver] = []
    for receiver in receivers {
      guard let end = try open(receiver, &identities) else { continue }
      receiver.index = ends.count
      ends.append(end)
    }
    try requireReceivers()
    guard let connection else {
      let producer = StandardInputProducer.make(endsAtMarker: someoneStopsAtMarker)
      return CopyTransfer(from: producer, to: ends)
    }
    let producer: StatementProducer
    do throws(PGError) {
      producer = try StatementProducer(connection, try rows.copyOut(format))
    } catch {
      for end in ends { end.fail("the source failed: \(error.code)") }
      throw sourceFailure(error)
    }
    return CopyTransfer(from: producer, to: ends)
  }

  /// Whether a receiver takes a line `\.` for the end of the data.
  private var someoneStopsAtMarker: Bool {
    switch format {
    case .text: true
    case .csv: receivers.contains { ($0.server?.majorVersion ?? 18) < 18 }
    case .binary: false
    }
  }

  private func openSource() throws -> Connection? {
    guard let source else { return nil }
    let connection: Connection
    do throws(PGError) { connection = try source.connect() } catch {
      throw sourceFailure(error, .connection)
    }
    try checkSignal()
    shareEncoding(of: connection)
    rows = try fromSource { () throws(PGError) in
      try source.beginReading()
      return try connection.resolve(rows)
    }
    return connection
  }

  /// Servers are told the same encoding, or one would take the other's bytes for something else.
  ///
  /// The texts of a SQL_ASCII database, of which nothing is known, travel as they are.
  private func shareEncoding(of connection: Connection) {
    let servers = receivers.compactMap(\.server)
    guard let source, !servers.isEmpty else { return }
    let isUnknown = connection.reportedSetting("server_encoding") == ServerEnd.unknownEncoding
    for server in servers + [source] {
      server.encoding = isUnknown ? ServerEnd.unknownEncoding : "UTF8"
    }
  }

  /// Connects a receiver and begins its copying; one that fails is out.
  private func open(
    _ receiver: Receiver, _ identities: inout [String: String]
  ) throws(Failure) -> (any CopyReceiver)? {
    guard let server = receiver.server else { return StandardOutputReceiver() }
    let connection: Connection
    do throws(PGError) { connection = try server.connect() } catch {
      receiver.fail(error, .connection)
      return nil
    }
    try checkSignal()
    let table = try table(of: receiver)
    var twin: String?
    do throws(PGError) {
      try server.beginStoring()
      let identity = try connection.identity(of: table)
      twin = identities.updateValue(receiver.label, forKey: identity)
      if twin == nil {
        return try StatementReceiver(connection, try table.copyIn(format))
      }
    } catch {
      try checkSignal()
      receiver.fail(error)
      return nil
    }
    throw .usage("\(receiver.label): it is the same table as that of \(twin ?? "another end")")
  }

  /// The table that a receiver copies into, its columns in the order of the data.
  private func table(of receiver: Receiver) throws(Failure) -> CopyTable {
    guard let copied = rows.table else {
      guard let table = receiver.operand.table else { throw .usage("no table to copy into") }
      return table
    }
    var table = receiver.operand.table ?? copied
    if table.columns.isEmpty { table.columns = copied.columns }
    return table
  }

  // MARK: The data

  private func relay(_ transfer: CopyTransfer) throws {
    while true {
      do throws(CopyFault) {
        guard try transfer.next() != nil else { break }
      } catch {
        try drop(error, transfer)
      }
      try checkSignal(transfer)
    }
    if transfer.remaining.isEmpty { transfer.fail("no receivers are left") }
    try requireReceivers()
  }

  /// Waits for all receivers; then all counts must agree, or nobody commits.
  private func finish(_ transfer: CopyTransfer) throws {
    do throws(CopyFault) { try transfer.finish() } catch { try drop(error, transfer) }
    try checkSignal(transfer)
    try requireReceivers()
    do throws(CopyFault) { try transfer.compareCounts() } catch {
      for receiver in receivers { receiver.rollback(.refused) }
      throw Failure(.refused, note("\(describe(error)); nothing was committed"))
    }
  }

  /// Drops the receivers that failed; a source or stdout that failed ends everything.
  private func drop(_ fault: CopyFault, _ transfer: CopyTransfer) throws {
    try checkSignal(transfer)
    switch fault {
    case .receivers(let faults):
      for fault in faults {
        guard let receiver = receivers.first(where: { $0.index == fault.index }) else { continue }
        if receiver.server == nil {
          transfer.fail("stdout failed")
          throw fault.error.cause ?? fault.error
        }
        receiver.fail(fault.error)
      }
    case .producer(let error):
      transfer.fail("the source failed: \(error.code)")
      throw error.cause as? Failure ?? sourceFailure(error)
    case .noReceivers: try requireReceivers()
    case .incomplete, .counts: throw Failure(.localFailure, note("\(fault)"))
    }
  }

  // MARK: After

  private func commit() throws(Failure) {
    guard Interruptions.shared.beginLastStep() else { throw Failure(.localFailure) }
    for receiver in receivers where receiver.state == .taking { receiver.commit() }
  }

  private func conclude(_ transfer: CopyTransfer) throws {
    if !quiet { Summary(transfer, receivers, duration: ContinuousClock.now - start).print() }
    if committed == receivers.count { return }
    if committed > 0 { throw Failure(.partial) }
    throw Failure(statusOfFailures)
  }

  private var committed: Int { receivers.count { $0.state == .committed } }

  /// The status when nothing was committed: 2 if no receiver could be reached or kept, else 3.
  private var statusOfFailures: ExitStatus {
    let statuses = receivers.map { receiver in
      if case .failed(let status) = receiver.state { status } else { ExitStatus.connection }
    }
    return statuses.allSatisfy { $0 == .connection } ? .connection : .refused
  }

  private func requireReceivers() throws(Failure) {
    if !receivers.contains(where: { $0.state == .taking }) { throw Failure(statusOfFailures) }
  }

  /// - Throws: ``Failure`` when a signal came; what it says is put in place by ``run()``.
  private func checkSignal(_ transfer: CopyTransfer? = nil) throws(Failure) {
    guard Interruptions.shared.signal != nil else { return }
    transfer?.fail("the copying was interrupted")
    throw Failure(.localFailure)
  }

  private func fromSource<Result>(
    _ body: () throws(PGError) -> Result
  ) throws(Failure) -> Result {
    do throws(PGError) { return try body() } catch { throw sourceFailure(error) }
  }

  private func sourceFailure(_ error: PGError, _ status: ExitStatus? = nil) -> Failure {
    let speaker = "\(CopyCommand.program): \(source?.label ?? "stdin")"
    return Failure(status ?? error.status, error.diagnostic(of: speaker))
  }

  private func note(_ text: String) -> Diagnostic {
    Diagnostic(program: CopyCommand.program, message: text)
  }

  private func describe(_ fault: CopyFault) -> String {
    guard case .counts(let counts) = fault else { return "\(fault)" }
    let parts = counts.map { count in
      let receiver = receivers.first { $0.index != nil && $0.index == count.index }
      return "\(receiver?.label ?? source?.label ?? "source"): \(count.rows)"
    }
    return "the counts of rows differ: \(parts.joined(separator: ", "))"
  }
}
