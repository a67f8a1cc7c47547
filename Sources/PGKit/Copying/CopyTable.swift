/// A table as an end of copying: its name in parts and, if given, the columns.
///
/// Made of parts, never of text put together, so a name cannot be more than a name.
public struct CopyTable: Hashable, Sendable {
  /// The parts of the name, outermost first: schema and table, or the table alone.
  public let path: [String]
  /// The columns in the order of the data; none are all of them.
  public var columns: [String]

  /// Makes it of names that mean themselves, upper case included.
  public init(_ path: [String], columns: [String] = []) {
    self.path = path
    self.columns = columns
  }

  /// Reads a name as SQL does: `jobs`, `public.jobs`, `"My jobs"(id, "Full name")`.
  ///
  /// What is not in quotes is folded to lower case.
  ///
  /// - Returns: `nil` if the text is anything else than a name with an optional list of columns.
  public init?(parsing text: String) {
    var reader = NameReader(text)
    guard let path = reader.readName(), let columns = reader.readColumns(), reader.isAtEnd else {
      return nil
    }
    self.init(path, columns: columns)
  }

  /// The name, every part in quotes: what SQL and `regclass` take for exactly this table.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a name holds a NUL.
  public func quotedName() throws(PGError) -> String {
    try SQL.qualifiedName(path)
  }

  /// The statement that takes data into the table.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a name holds a NUL.
  public func copyIn(_ format: CopyFormat = .text) throws(PGError) -> String {
    "COPY \(try target()) FROM STDIN WITH (FORMAT \(format.rawValue))"
  }

  /// The statement that gives the table's data.
  ///
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a name holds a NUL.
  public func copyOut(_ format: CopyFormat = .text) throws(PGError) -> String {
    "COPY \(try target()) TO STDOUT WITH (FORMAT \(format.rawValue))"
  }

  /// The list of columns, every one in quotes; `*` for all.
  func quotedColumns() throws(PGError) -> String {
    guard !columns.isEmpty else { return "*" }
    var list: [String] = []
    for column in columns { list.append(try SQL.quoteIdentifier(column)) }
    return list.joined(separator: ", ")
  }

  private func target() throws(PGError) -> String {
    let name = try quotedName()
    return columns.isEmpty ? name : "\(name) (\(try quotedColumns()))"
  }
}
