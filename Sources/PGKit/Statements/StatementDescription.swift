/// What the server says of a statement: its parameters and its columns.
struct StatementDescription: Sendable {
  let parameterTypes: [TypeOID]
  let columns: ColumnList
  /// Whether there are rows; they may be without columns.
  let givesRows: Bool
  /// What a Bind asks for: text where only text is understood, binary elsewhere.
  let resultFormats: [Int16]

  init(_ exchange: Prepare) {
    parameterTypes = exchange.parameters.map { TypeOID(rawValue: $0) }
    givesRows = exchange.columns != nil
    columns = ColumnList(
      (exchange.columns ?? []).map {
        Column($0, format: BuiltinTypes.resultFormat(for: TypeOID(rawValue: $0.typeOID)))
      })
    let formats = columns.columns.map(\.format.rawValue)
    // One code stands for all when all are equal.
    let first = formats.first
    resultFormats = formats.allSatisfy { $0 == first } ? Array(formats.prefix(1)) : formats
  }
}
