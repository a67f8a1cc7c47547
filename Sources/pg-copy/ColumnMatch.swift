internal import PGKit

/// Which columns travel, and where each arrives.
///
/// The data has one order of columns for all receivers; each receiver names its own columns in that order.
struct ColumnMatch {
  /// What stands in the way of a receiver.
  struct Problem: Error { let message: String; let hint: String? }

  /// The columns that travel, in the order of the data; `nil` where nobody knows them, as of stdin.
  private(set) var travelling: [CopyColumn]?
  private let isQuery: Bool
  private let isListed: Bool

  /// - Parameters:
  ///   - columns: Those of the source.
  ///   - source: What is copied.
  ///   - isKnown: Whether the source is a server.
  init(_ columns: [CopyColumn], of source: CopySource, isKnown: Bool) {
    isQuery = source.table == nil
    isListed = source.table.map { !$0.columns.isEmpty } ?? false
    // A table's own generated columns travel only if somebody lists them.
    travelling = isKnown ? columns.filter { isListed || !$0.isGenerated } : nil
  }

  /// Leaves out the columns that every receiver works out itself.
  mutating func leaveOutGenerated(at receivers: [[CopyColumn]]) {
    guard !isQuery, !isListed, let columns = travelling, !receivers.isEmpty else { return }
    travelling = columns.filter { column in
      !receivers.allSatisfy { $0.contains { $0.name == column.name && $0.isGenerated } }
    }
  }

  /// The columns of a receiver in the order of the data.
  ///
  /// - Parameters:
  ///   - own: All of its columns, or those that its operand lists.
  ///   - isListed: Whether they were listed.
  func columns(at own: [CopyColumn], isListed isOwnList: Bool, named table: String) throws(Problem)
    -> [CopyColumn]
  {
    guard let travelling else { return isOwnList ? own : own.filter { !$0.isGenerated } }
    if isOwnList { return try inOrder(own, travelling, table) }
    let names = travelling.map(\.name)
    let byName = own.reduce(into: [String: CopyColumn]()) { $0[$1.name] = $1 }
    if isQuery, Set(names).count < names.count || !names.allSatisfy({ byName[$0] != nil }) {
      return try inOrder(own.filter { !$0.isGenerated }, travelling, table)
    }
    var matched: [CopyColumn] = []
    for name in names {
      guard let column = byName[name] else {
        throw Problem(
          message: "\(table) has no column \"\(name)\", which the source has",
          hint: "list the columns to copy: 'table(column, …)'")
      }
      if column.isGenerated {
        throw Problem(
          message: "column \"\(name)\" of \(table) is generated, and others are to get its values",
          hint: "list the columns to copy: 'table(column, …)'")
      }
      matched.append(column)
    }
    return matched
  }

  private func inOrder(
    _ own: [CopyColumn], _ travelling: [CopyColumn], _ table: String
  ) throws(Problem) -> [CopyColumn] {
    guard own.count == travelling.count else {
      throw Problem(
        message: "the source gives \(travelling.count) columns, and \(table) takes \(own.count)",
        hint: "list the columns: ';table=NAME(column, …)'")
    }
    return own
  }

  /// Whether the binary form of every column means the same at both ends: types of a server's own, whose
  /// numbers are the same everywhere, and whose values are not numbers of other things.
  func isBinarySafe(at columns: [CopyColumn]) -> Bool {
    guard let travelling, !travelling.isEmpty else { return false }
    return zip(travelling, columns).allSatisfy { mine, theirs in
      mine.type == theirs.type && mine.type.rawValue < Self.firstOfUsers
        && !Self.boundToDatabase.contains(mine.type)
    }
  }

  /// The first column whose binary values would be read as something else there, with its column there.
  ///
  /// Of types that are not the server's own nobody knows.
  func misreading(at columns: [CopyColumn]) -> (source: CopyColumn, receiver: CopyColumn)? {
    guard let travelling else { return nil }
    let pair = zip(travelling, columns).first { mine, theirs in
      mine.type != theirs.type && mine.type.rawValue < Self.firstOfUsers
        && theirs.type.rawValue < Self.firstOfUsers
        && !(Self.texts.contains(mine.type) && Self.texts.contains(theirs.type))
    }
    return pair.map { (source: $0.0, receiver: $0.1) }
  }

  /// Types whose binary values are their texts.
  private static let texts: Set<TypeOID> = [.text, .varchar, .bpchar, .name, .json, .xml, .unknown]

  /// Types whose binary values are the numbers that things have in their own database, and whose text is
  /// their names; and the one that has no binary form.
  ///
  /// Source: PostgreSQL manual, "Object Identifier Types".
  private static let boundToDatabase: Set<TypeOID> = [
    .regproc, .regprocArray, .regprocedure, .regprocedureArray, .regoper, .regoperArray,
    .regoperator, .regoperatorArray, .regclass, .regclassArray, .regtype, .regtypeArray,
    .regconfig, .regconfigArray, .regdictionary, .regdictionaryArray, .regnamespace,
    .regnamespaceArray, .regrole, .regroleArray, .regcollation, .regcollationArray, .aclitem,
    .aclitemArray,
  ]

  /// From here on a number names different types in different databases.
  ///
  /// Source: PostgreSQL manual, "System Catalog Initial Data", OID Assignment.
  private static let firstOfUsers: UInt32 = 16_384
}
