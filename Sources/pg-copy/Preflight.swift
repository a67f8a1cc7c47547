internal import PGCommandLine
internal import PGKit

/// What was found before anything was copied, for `--dry-run`.
struct Preflight {
  private let job: CopyJob
  private let details: [Int: TableDetails]

  init(_ job: CopyJob) {
    self.job = job
    details = job.receivers.reduce(into: [:]) { found, receiver in
      guard receiver.isTaking, let connection = try? receiver.server?.session() else { return }
      found[receiver.number] = try? TableDetails(receiver, connection)
    }
  }

  /// Whether every receiver that counts could be copied to.
  var isPossible: Bool {
    job.receivers.allSatisfy { receiver in
      receiver.operand.importance == .bestEffort || receiver.isSkipped
        || (receiver.isTaking && missing(receiver).isEmpty
          && details[receiver.number]?.obstacles.isEmpty != false)
    }
  }

  /// One object on one line.
  var json: String {
    let columns = job.match.travelling.map { Self.list($0.map(Self.json)) } ?? "null"
    let receivers = job.receivers.map { json($0) }.joined(separator: ",")
    let version = job.sources.first?.connection?.serverVersion.description
    return """
      {"program":"\(CopyCommand.program)","dry_run":true,"possible":\(isPossible),\
      "source":{"place":\(JSONText.quoted(job.sourceLabel)),"version":\(Self.json(version)),\
      "columns":\(columns)},"format":"\(job.format.rawValue)",\
      "estimated_rows":\(estimate?.rows.map(String.init) ?? "null"),\
      "estimated_bytes":\(estimate.map { String($0.bytes) } ?? "null"),"receivers":[\(receivers)]}
      """
  }

  private var estimate: SourceEstimate? {
    guard case .table(let table) = job.rows, let connection = try? job.sources.first?.session()
    else { return nil }
    return try? SourceEstimate(table, connection)
  }

  private func json(_ receiver: Receiver) -> String {
    let found = details[receiver.number]
    var problems = missing(receiver).map {
      "column \"\($0.name)\" is not null, has no default, and gets no value"
    }
    problems += found?.obstacles ?? []
    if let failure = receiver.failure { problems.append(failure.message) }
    return """
      {"receiver":\(receiver.number),"place":\(JSONText.quoted(receiver.server?.place ?? receiver.label)),\
      "table":\(JSONText.quoted(receiver.table.path.joined(separator: "."))),\
      "version":\(Self.json(receiver.server?.connection?.serverVersion.description)),\
      "columns":\(Self.list(receiver.columns.map(Self.json))),\
      "problems":\(Self.list(problems.map(JSONText.quoted))),\
      "remarks":\(Self.list((remarks(receiver) + (found?.remarks ?? [])).map(JSONText.quoted)))}
      """
  }

  /// Columns that need a value and get none.
  private func missing(_ receiver: Receiver) -> [CopyColumn] {
    let taken = Set(receiver.table.columns)
    return details[receiver.number]?.columns.filter { $0.isRequired && !taken.contains($0.name) }
      ?? []
  }

  /// Types that differ: text is then read by the other type.
  private func remarks(_ receiver: Receiver) -> [String] {
    guard let travelling = job.match.travelling else { return [] }
    return zip(travelling, receiver.columns).filter { $0.typeName != $1.typeName }.map {
      "column \"\($1.name)\" is \($0.typeName) at the source and \($1.typeName) here"
    }
  }

  private static func json(_ column: CopyColumn) -> String {
    "{\"name\":\(JSONText.quoted(column.name)),\"type\":\(JSONText.quoted(column.typeName))}"
  }

  private static func list(_ items: [String]) -> String { "[\(items.joined(separator: ","))]" }
  private static func json(_ text: String?) -> String { text.map(JSONText.quoted) ?? "null" }
}

/// What else a receiver's table does with rows.
struct TableDetails {
  let columns: [CopyColumn]
  /// What would be refused.
  private(set) var obstacles: [String] = []
  /// What is worth knowing.
  private(set) var remarks: [String] = []

  init(_ receiver: Receiver, _ connection: Connection) throws(PGError) {
    let table = CopyTable(receiver.table.path)
    columns = try connection.columns(of: table)
    let row = try connection.query(
      """
      SELECT pg_catalog.has_table_privilege(c.oid, 'INSERT'), c.relkind::text, c.relrowsecurity,
        (SELECT count(*) FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
        (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'),
        (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.confrelid = c.oid AND k.contype = 'f'),
        pg_catalog.pg_is_in_recovery()
      FROM pg_catalog.pg_class c WHERE c.oid = $1::pg_catalog.text::pg_catalog.regclass
      """, try table.quotedName())[0]
    if try !row[0, as: Bool.self] { obstacles.append("this user may not insert into it") }
    let kind = try row[1, as: String.self]
    if ["v", "m", "i", "S", "c"].contains(kind) {
      obstacles.append("it is no table that takes rows")
    }
    if try row[6, as: Bool.self] {
      obstacles.append("the server is a standby, which takes no rows")
    }
    if try row[2, as: Bool.self] { remarks.append("it has row-level security") }
    let counts = [try row[3, as: Int.self], try row[4, as: Int.self], try row[5, as: Int.self]]
    for (count, words) in zip(counts, ["triggers", "foreign keys", "foreign keys that lead to it"])
    where count > 0 { remarks.append("\(words): \(count)") }
  }
}
