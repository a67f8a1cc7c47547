// Anonymous records say with each value what it is made of. Types that a connection has not met
// before are looked up between receiving a batch and handing it over.

extension ColumnList {
  /// The same columns, with what is known of the types that their records are made of.
  func withMembers(_ members: [TypeOID: PGType]) -> ColumnList {
    ColumnList(columns.map { $0.with($0.pgType.withMembers(members)) })
  }
}

extension Connection {
  /// Looks up what records in rows are made of and was not met before.
  ///
  /// An operation that is under way is received and kept meanwhile, as it is for any other.
  ///
  /// - Parameter members: What is known already; what is found is added.
  /// - Returns: Whether something was added.
  /// - Throws: ``PGError`` when the connection is lost.
  func lookUpMembers(
    of run: RowRun, _ columns: ColumnList, into members: inout [TypeOID: PGType]
  ) throws(PGError) -> Bool {
    var scan = RecordScan()
    for (index, column) in columns.columns.enumerated()
    where column.pgType.holdsRecords && column.format == .binary {
      for row in 0..<run.count {
        if let value = run.reader(row: row, column: index) {
          scan.look(at: value, of: column.pgType)
        }
      }
    }
    let unknown = scan.found.filter { members[$0] == nil }
    if unknown.isEmpty { return false }
    do throws(PGError) { try lookUp(unknown.map(\.rawValue)) } catch {
      if error.endsSession { throw error }
      // As in a block that has failed: reading such a value will say what is wrong.
      return false
    }
    for oid in unknown { members[oid] = types.type(oid) ?? PGType(oid) }
    return true
  }
}
