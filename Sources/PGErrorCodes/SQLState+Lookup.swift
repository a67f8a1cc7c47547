// From a code to what is known of it, and from a name to its codes.

extension SQLState {
  /// What is known of this very code; `nil` if it is not in the table.
  public var definition: SQLStateDefinition? {
    SortedLines(SQLStateTable.records).line(of: description).flatMap(SQLStateDefinition.init(line:))
  }

  /// Whether the table has this very code.
  package var isDefined: Bool { SortedLines(SQLStateTable.records).line(of: description) != nil }

  /// What is known of this code, or else of its class; `nil` if neither is in the table.
  public var nearestDefinition: SQLStateDefinition? {
    definition ?? successor?.definition ?? classCode.definition
  }

  /// PostgreSQL's name of the condition, such as `unique_violation`.
  public var condition: String? { definition?.condition }

  /// The code that took the place of a code which servers no longer send.
  ///
  /// py-postgresql answers `22020`, the code of PostgreSQL before 8.4, with that of `2201W`.
  public var successor: SQLState? {
    packed == SQLState.retiredLimitValue ? .invalidRowCountInLimitClause : nil
  }

  /// `22020`.
  private static let retiredLimitValue: UInt64 = 0x32_3230_3230

  /// Every definition, in the order of the codes.
  public static var definitions: [SQLStateDefinition] {
    SortedLines(SQLStateTable.records).lines(beginningWith: "").compactMap(
      SQLStateDefinition.init(line:))
  }

  /// The codes that a name may mean, errors first; empty if the name is unknown.
  ///
  /// Understood, in any case of letters: a condition (`unique_violation`), a C macro
  /// (`ERRCODE_UNIQUE_VIOLATION`), py-postgresql's name (`UniqueError`), and this module's
  /// (`uniqueViolation`). Five pairs of codes share a condition, such as
  /// `string_data_right_truncation`, which is an error (22001) and a warning (01004).
  public static func named(_ name: some StringProtocol) -> [SQLState] {
    guard let line = SortedLines(SQLStateTable.keys).line(of: key(name)) else { return [] }
    return codes(line)
  }

  /// The codes of the only name that begins with `prefix`; empty if there is none, or several
  /// that mean different codes.
  public static func named(beginningWith prefix: some StringProtocol) -> [SQLState] {
    var lines = SortedLines(SQLStateTable.keys).lines(beginningWith: key(prefix))
    guard let first = lines.next().map(codes), lines.allSatisfy({ codes($0) == first }) else {
      return []
    }
    return first
  }

  /// Whether no name of the table begins with this key.
  static func isNoBeginning(_ key: String) -> Bool {
    var lines = SortedLines(SQLStateTable.keys).lines(beginningWith: key)
    return lines.next() == nil
  }

  private static func codes(_ line: Substring) -> [SQLState] {
    SortedLines.words(of: line).dropFirst().flatMap(SortedLines.parts(of:)).compactMap {
      SQLState($0)
    }
  }

  /// A name as the table has it: small letters, no underscores, no `ERRCODE_`.
  static func key(_ name: some StringProtocol) -> String {
    let key = name.lowercased()
    let bare = key.hasPrefix("errcode_") ? key.dropFirst("errcode_".count) : key[...]
    return String(bare.filter { $0 != "_" })
  }
}
