internal import PGCommandLine
internal import PGKit

/// What was found before anything was copied, for `--dry-run`.
struct Preflight {
  private let cargo: Cargo
  private let source: SourceEnd
  private let receivers: ReceiverSet
  /// What stands in the way of everything.
  private let obstacle: (any Error)?
  private var details: [Int: TableDetails] = [:]
  /// Why a receiver's table could not be looked at.
  private var refusals: [Int: String] = [:]
  private let estimate: SourceEstimate?

  init(_ cargo: Cargo, _ source: SourceEnd, _ receivers: ReceiverSet, _ obstacle: (any Error)?) {
    (self.cargo, self.source, self.receivers) = (cargo, source, receivers)
    self.obstacle = obstacle
    estimate = Self.estimate(cargo, source)
    for receiver in receivers.taking {
      if case .file(let path) = receiver.operand.place {
        // Made without a name, and forgotten.
        do throws(PGError) { try OutputFileReceiver(path).fail("") } catch {
          refusals[receiver.number] = error.message
        }
      }
      guard let server = receiver.server else { continue }
      do throws(PGError) {
        details[receiver.number] = try TableDetails(receiver, try server.session())
      } catch { refusals[receiver.number] = error.message }
    }
  }

  /// Whether every receiver that counts could be copied to.
  var isPossible: Bool {
    obstacle == nil
      && receivers.allSatisfy { receiver in
        receiver.operand.importance == .bestEffort || receiver.isSkipped
          || (receiver.isTaking && missing(receiver).isEmpty
            && refusals[receiver.number] == nil
            && details[receiver.number]?.obstacles.isEmpty != false)
      }
  }

  /// One object on one line.
  var json: String {
    let columns = cargo.match.travelling.map { Self.list($0.map(Self.json)) } ?? "null"
    let receivers = receivers.map { json($0) }.joined(separator: ",")
    let version = source.server?.connection?.serverVersion.description
    return """
      {"program":"\(CopyCommand.program)","dry_run":true,"possible":\(isPossible),\
      "source":{"place":\(JSONText.quoted(source.label)),"version":\(Self.json(version)),\
      "columns":\(columns),"remarks":\(Self.list(sourceRemarks.map(JSONText.quoted)))},\
      "problem":\(Self.json(problem)),"format":"\(cargo.format.rawValue)",\
      "sessions":\(cargo.laneCount),"estimated_rows":\(estimate?.rows.map(String.init) ?? "null"),\
      "estimated_bytes":\(estimate.map { String($0.bytes) } ?? "null"),"receivers":[\(receivers)]}
      """
  }

  /// What is left out of what is copied.
  private var sourceRemarks: [String] {
    guard let estimate, estimate.heirs > 0, let table = cargo.rows.table else { return [] }
    return [SourceEstimate.remark(on: estimate.heirs, of: table)]
  }

  private var problem: String? {
    guard let obstacle else { return nil }
    return (obstacle as? Failure)?.diagnostic?.message
  }

  private static func estimate(_ cargo: Cargo, _ source: SourceEnd) -> SourceEstimate? {
    guard case .table(let table) = cargo.rows, let connection = try? source.server?.session()
    else { return nil }
    return try? SourceEstimate(table, connection)
  }

  private func json(_ receiver: Receiver) -> String {
    let found = details[receiver.number]
    var problems = missing(receiver).map {
      "column \"\($0.name)\" is not null, has no default, and gets no value"
    }
    problems += found?.obstacles ?? []
    if let refusal = refusals[receiver.number] { problems.append(refusal) }
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
    guard let travelling = cargo.match.travelling else { return [] }
    let filled = Set(receiver.columns.map(\.name))
    let own = (details[receiver.number]?.columns ?? []).filter {
      !filled.contains($0.name) && !$0.isRequired
    }.map {
      "column \"\($0.name)\" gets no value: \($0.isGenerated ? "it is generated" : "it has its default")"
    }
    return own
      + zip(travelling, receiver.columns).filter { $0.typeName != $1.typeName }.map {
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
    let hasPublications = connection.serverVersion >= ServerVersion(major: 10, minor: 0)
    let published =
      hasPublications
      ? "(SELECT count(*) FROM pg_catalog.pg_publication_tables p "
        + "JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname "
        + "WHERE n.oid = c.relnamespace AND p.tablename = c.relname)"
      : "0::int8"
    let row = try connection.query(
      """
      SELECT pg_catalog.has_table_privilege(c.oid, 'INSERT'), c.relkind::text, c.relrowsecurity,
        (SELECT count(*) FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
        (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'),
        (SELECT count(*) FROM pg_catalog.pg_constraint k WHERE k.confrelid = c.oid AND k.contype = 'f'),
        (SELECT count(*) FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid), \(published),
        pg_catalog.pg_is_in_recovery()
      FROM pg_catalog.pg_class c WHERE c.oid = $1::pg_catalog.text::pg_catalog.regclass
      """, try table.quotedName()
    ).row(at: 0)
    if try !row[0, as: Bool.self] { obstacles.append("this user may not insert into it") }
    let kind = try row[1, as: String.self]
    if ["v", "m", "i", "S", "c"].contains(kind) {
      obstacles.append("it is no table that takes rows")
    }
    if try row[8, as: Bool.self] {
      obstacles.append("the server is a standby, which takes no rows")
    }
    if try row[2, as: Bool.self] { remarks.append("it has row-level security") }
    let words = [
      "triggers", "foreign keys", "foreign keys that lead to it", "indexes", "publications",
    ]
    for (index, words) in words.enumerated() {
      let count = try row[3 + index, as: Int.self]
      if count > 0 { remarks.append("\(words): \(count)") }
    }
  }
}
