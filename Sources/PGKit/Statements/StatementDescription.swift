/// What the server says of a statement: its parameters and its columns.
struct StatementDescription: Sendable {
  let parameterTypes: [PGType]
  let columns: ColumnList
  /// Whether there are rows; they may be without columns.
  let givesRows: Bool
  /// What a Bind asks for: text where only text is understood, binary elsewhere.
  let resultFormats: [Int16]

  /// What of the types had to be looked up; `nil` if every server has them all.
  private let lookedUp: LookedUp?

  private struct LookedUp {
    let exchange: Prepare
    let generation: Int
  }

  /// - Parameter types: Where all that is met in the exchange has been looked up.
  init(_ exchange: Prepare, _ types: TypeRegistry) {
    func known(_ oid: UInt32) -> PGType {
      let oid = TypeOID(rawValue: oid)
      return types.type(oid) ?? types.builtin(oid)
    }
    parameterTypes = exchange.parameters.map(known)
    givesRows = exchange.columns != nil
    columns = ColumnList(
      (exchange.columns ?? []).map { field in
        let type = known(field.typeOID)
        return Column(field, type, format: BuiltinTypes.resultFormat(for: type))
      })
    lookedUp =
      types.isEmpty ? nil : LookedUp(exchange: exchange, generation: types.generation)
    let formats = columns.columns.map(\.format.rawValue)
    // One code stands for all when all are equal.
    let first = formats.first
    resultFormats = formats.allSatisfy { $0 == first } ? Array(formats.prefix(1)) : formats
  }

  /// Whether types that were looked up for it have been forgotten since.
  func isOutdated(_ types: TypeRegistry) -> Bool {
    types.generation != (lookedUp?.generation ?? 0)
  }

  /// Whether the server has some of its types no more.
  var lacksTypes: Bool {
    parameterTypes.contains(where: \.isGone) || columns.columns.contains { $0.pgType.isGone }
  }

  /// The same statement with its types looked up anew.
  func renewed(on connection: Connection) throws(PGError) -> StatementDescription {
    guard let exchange = lookedUp?.exchange else { return self }
    return try connection.description(of: exchange)
  }
}
