/// The SQL names of types that not every server has, asked for once on each connection.
///
/// An identifier is not given to another type before two billion more have been used; a type that is
/// renamed keeps the name that it had when this connection first asked.
private final class TypeNames {
  var known: [TypeOID: String] = [:]
}

extension Connection {
  private var typeNames: TypeNames {
    if let names = attachments[ObjectIdentifier(TypeNames.self)] as? TypeNames { return names }
    let names = TypeNames()
    attachments[ObjectIdentifier(TypeNames.self)] = names
    return names
  }

  /// What types are called in SQL, with their schema where that is not the server's own.
  ///
  /// - Throws: ``PGError``: the server's.
  func sqlNames(of types: [TypeOID]) throws(PGError) -> [String] {
    let names = typeNames
    let unknown = Set(types.filter { $0.sqlName == nil && names.known[$0] == nil })
    if !unknown.isEmpty {
      let list = unknown.map { "\($0.rawValue)" }.joined(separator: ",")
      let rows = Rows(try query.text(Self.namesOfTypes, ["{\(list)}"]))
      while let row = try rows.next() {
        names.known[TypeOID(rawValue: try row[0, as: UInt32.self])] = try row[1, as: String.self]
      }
    }
    return types.map { $0.sqlName ?? names.known[$0] ?? "oid \($0.rawValue)" }
  }

  private static let namesOfTypes = """
    SELECT t.oid, CASE WHEN n.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.oid, NULL)
      ELSE pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(e.typname)
        || CASE WHEN e.oid = t.oid THEN '' ELSE '[]' END END
    FROM pg_catalog.pg_type t
      JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0
        THEN t.typelem ELSE t.oid END
      JOIN pg_catalog.pg_namespace n ON n.oid = e.typnamespace
    WHERE t.oid = ANY ($1::pg_catalog.oid[])
    """
}
