internal import PGCommandLine
internal import PGKit

/// The parts that what is copied is cut into: by the blocks of a table, all under one snapshot.
struct TableParts {
  private let plan: CopyPlan
  private let rows: CopySource

  init(_ plan: CopyPlan, _ rows: CopySource) { (self.plan, self.rows) = (plan, rows) }

  /// Cuts; what is not to be cut is one part.
  func cut(_ source: SourceEnd) throws(Failure) -> [CopyPart] {
    let whole = [CopyPart(number: 1, source: rows, blocks: nil)]
    guard plan.isSplit, source.server != nil else { return whole }
    guard case .table(let table) = rows else {
      throw Failure(
        .refused,
        Diagnostic(
          program: "\(CopyCommand.program): \(source.label)",
          message:
            "--split and --jobs need a table with blocks of its own; this one is a view or made of others",
          details: [
            ("HINT", "without them one session reads everything; a partition by itself can be cut")
          ]))
    }
    return try source.ask { (connection) throws(PGError) in
      try requireBlocks(of: table, connection)
      let estimate = try SourceEstimate(table, connection)
      return try parts(of: table, blocks: estimate.blocks, count: partCount(estimate))
    } ?? whole
  }

  private func partCount(_ estimate: SourceEstimate) -> Int {
    switch plan.reading.split {
    case nil: plan.jobs
    case .parts(let count): count
    case .size(let size): min(estimate.parts(of: size), SplitArgument.mostParts)
    }
  }

  private func parts(
    of table: CopyTable, blocks: Int, count: Int
  ) throws(PGError) -> [CopyPart] {
    // A table without blocks may get some while it is looked at; they belong to no snapshot of before,
    // but the last part has no end all the same.
    let count = max(1, min(count, blocks))
    var parts: [CopyPart] = []
    for part in 0..<count {
      let first = blocks * part / count
      let next = part + 1 == count ? nil : blocks * (part + 1) / count
      parts.append(
        CopyPart(
          number: part + 1, source: try .part(of: table, blocks: first..., upTo: next),
          blocks: (first, next)))
    }
    return parts
  }

  private func requireBlocks(of table: CopyTable, _ connection: Connection) throws(PGError) {
    let method = try connection.query.first(
      """
      SELECT coalesce(a.amname::text, '') FROM pg_catalog.pg_class c
      LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
      WHERE c.oid = $1::pg_catalog.text::pg_catalog.regclass
      """, try table.quotedName(), as: String.self)
    let isOld = connection.serverVersion < ServerVersion(major: 14, minor: 0)
    guard method == "heap", !isOld else {
      throw PGError(
        code: .featureNotSupported,
        message: isOld
          ? "--split and --jobs need a source of version 14 or later, which reads blocks by their numbers"
          : "--split and --jobs need a table of the access method heap",
        fault: .server)
    }
  }
}
