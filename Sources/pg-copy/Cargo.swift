internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// What travels: which rows, with which columns, in which form and in how many parts.
///
/// It is worked out when the source and the receivers are open; until then it is what the command line says.
struct Cargo {
  /// What is copied, with the columns that travel.
  private(set) var rows: CopySource
  private(set) var match: ColumnMatch
  private(set) var format = CopyFormat.text
  /// What it is cut into, in the order of the numbers.
  private(set) var parts: [CopyPart] = []
  /// How many of them are copied at a time.
  private(set) var laneCount = 1
  private let plan: CopyPlan

  init(_ plan: CopyPlan) {
    (self.plan, rows) = (plan, plan.rows)
    match = ColumnMatch([], of: plan.rows, isKnown: false)
  }

  /// Works it out.
  ///
  /// - Parameter columns: Those of the source.
  mutating func pack(
    _ columns: [CopyColumn], from source: SourceEnd, to receivers: ReceiverSet
  ) throws(Failure) {
    match = ColumnMatch(columns, of: rows, isKnown: plan.source.isServer)
    try matchColumns(at: receivers)
    chooseFormat(source, receivers)
    try fit(to: source)
    if receivers.takesPart { try cut(source, receivers) }
  }

  // MARK: Columns and format

  private mutating func matchColumns(at receivers: ReceiverSet) throws(Failure) {
    var own: [Int: [CopyColumn]] = [:]
    for receiver in receivers.takingServers {
      do throws(PGError) {
        own[receiver.number] = try receiver.lanes[0].session().columns(of: receiver.table)
      } catch { try receivers.drop(receiver, error) }
    }
    match.leaveOutGenerated(at: Array(own.values))
    for receiver in receivers.taking {
      guard let columns = own[receiver.number] else { continue }
      do throws(ColumnMatch.Problem) {
        receiver.take(
          try match.columns(
            at: columns, isListed: !receiver.table.columns.isEmpty,
            named: receiver.table.path.joined(separator: ".")))
      } catch {
        let refusal = PGError(
          code: .undefinedColumn, message: error.message, fault: .caller, hint: error.hint)
        try receivers.drop(receiver, refusal, .refused)
      }
    }
    for receiver in receivers.takingServers where plan.storing.onConflict != nil {
      if receiver.columns.isEmpty { try receivers.drop(receiver, Self.keyless(receiver), .refused) }
    }
    for receiver in receivers.takingServers where plan.request.format == .binary {
      guard let pair = match.misreading(at: receiver.columns) else { continue }
      try receivers.drop(receiver, Self.misreading(pair.source, pair.receiver), .refused)
    }
    if !receivers.contains(where: { $0.isSkipped }) { try receivers.requireTaking() }
  }

  private static func keyless(_ receiver: Receiver) -> PGError {
    PGError(
      code: .invalidColumnReference,
      message:
        "no column of \(receiver.table.path.joined(separator: ".")) gets a value, so none can have a key "
        + "that is there already",
      fault: .caller, hint: "Leave --on-conflict out.")
  }

  private static func misreading(_ mine: CopyColumn, _ theirs: CopyColumn) -> PGError {
    PGError(
      code: .datatypeMismatch,
      message:
        "column \"\(theirs.name)\" is \(mine.typeName) at the source and \(theirs.typeName) here: in binary its "
        + "values would be read as others",
      fault: .caller, hint: "Leave --format binary out.")
  }

  /// Binary is faster, but both ends must agree on every column's type; text always goes.
  private mutating func chooseFormat(_ source: SourceEnd, _ receivers: ReceiverSet) {
    switch plan.request.format {
    case .text: format = .text
    case .csv: format = .csv
    case .binary: format = .binary
    case .auto: format = isBinarySafe(source, receivers) ? .binary : .text
    }
  }

  private func isBinarySafe(_ source: SourceEnd, _ receivers: ReceiverSet) -> Bool {
    guard plan.isAmongServers, plan.storing.rejects == nil else { return false }
    let major = source.server?.majorVersion
    return receivers.taking.allSatisfy { receiver in
      receiver.server?.majorVersion == major && match.isBinarySafe(at: receiver.columns)
    }
  }

  /// Gives the source the columns that travel, and finds out how its rows can be had.
  private mutating func fit(to source: SourceEnd) throws(Failure) {
    guard var table = rows.table, let travelling = match.travelling else { return }
    table.columns = travelling.map(\.name)
    let fitted = try source.ask { (connection) throws(PGError) in
      try connection.resolve(.table(table))
    }
    if let fitted { rows = fitted }
  }

  // MARK: Parts

  /// Cuts it into parts, of which as many go at a time as the receivers can take.
  private mutating func cut(_ source: SourceEnd, _ receivers: ReceiverSet) throws(Failure) {
    parts = try TableParts(plan, rows).cut(source)
    laneCount = max(1, min(plan.jobs, parts.count))
    guard laneCount > 1, plan.storing.replace == .delete else { return }
    for receiver in receivers.taking {
      guard let server = receiver.server else { continue }
      do throws(PGError) {
        guard let key = try Self.key(of: receiver.table, try server.session()) else { continue }
        laneCount = 1
        if plan.reporting.quiet { continue }
        server.note(
          "one session stores everything: others would wait for it to end with each row of the key \(key) "
            + "that it takes out")
      } catch { try receivers.drop(receiver, error) }
    }
    try receivers.requireTaking()
  }

  /// The name of an index that lets each key be there once; `nil` if there is none.
  private static func key(
    of table: CopyTable, _ connection: Connection
  ) throws(PGError) -> String? {
    try connection.query.first(
      """
      SELECT indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index
      WHERE indrelid = $1::pg_catalog.text::pg_catalog.regclass AND (indisunique OR indisexclusion)
      ORDER BY 1 LIMIT 1
      """, try table.quotedName(), as: String.self)
  }
}
