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
  /// - Parameters:
  ///   - format: The data's format.
  ///   - encoding: The data's encoding; `nil` is the session's.
  ///   - isFrozen: Whether the rows are stored as VACUUM would leave them, which a server does only
  ///     in a table that was made or truncated in the same transaction.
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a name holds a NUL.
  public func copyIn(
    _ format: CopyFormat = .text, encoding: String? = nil, isFrozen: Bool = false
  ) throws(PGError) -> String {
    let options = try Self.options(format, encoding) + (isFrozen ? ", FREEZE" : "")
    return "COPY \(try target()) FROM STDIN WITH (\(options))"
  }

  /// The statement that gives the table's data.
  ///
  /// - Parameters:
  ///   - format: The data's format.
  ///   - encoding: The data's encoding; `nil` is the session's.
  /// - Throws: ``PGError`` with ``SQLState/parameterError`` if a name holds a NUL.
  public func copyOut(
    _ format: CopyFormat = .text, encoding: String? = nil
  ) throws(PGError) -> String {
    "COPY \(try target()) TO STDOUT WITH (\(try Self.options(format, encoding)))"
  }

  static func options(_ format: CopyFormat, _ encoding: String?) throws(PGError) -> String {
    guard let encoding else { return "FORMAT \(format.rawValue)" }
    return "FORMAT \(format.rawValue), ENCODING \(try SQL.quoteLiteral(encoding))"
  }

  /// The list of columns, every one in quotes; `*` for all.
  public func quotedColumns() throws(PGError) -> String {
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
