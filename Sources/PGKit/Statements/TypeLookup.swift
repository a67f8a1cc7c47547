// What a connection does not know of a type, it asks the server for, once.

extension Connection {
  /// Makes sure that the types are known, and whatever they are made of.
  ///
  /// - Returns: Whether the server had to be asked, which makes it forget the unnamed statement.
  /// - Throws: ``PGError``: the server's.
  @discardableResult
  func lookUp(_ oids: [UInt32]) throws(PGError) -> Bool {
    let unknown = Set(oids).filter { types.type(TypeOID(rawValue: $0)) == nil }
    if unknown.isEmpty { return false }
    try lookUpCodecNames()
    let list = unknown.sorted().map { "\($0)" }.joined(separator: ",")
    let since14 = serverVersion.major >= 14
    let rows = try query.text(Self.definitions(withMultiranges: since14), ["{\(list)}"]).collect()
    var found = FoundTypes(registry: types)
    for row in rows { try found.add(row) }
    types.learn(found.resolve(unknown.map { TypeOID(rawValue: $0) }))
    return true
  }

  /// Learns which types are meant by names for which there are codecs.
  private func lookUpCodecNames() throws(PGError) {
    for name in types.namesToResolve {
      let (sql, parameter) = Self.question(forName: name)
      let oid = try query.text(sql, [parameter]).first()
      types.resolve(name, as: try oid?[0, as: UInt32?.self].map { TypeOID(rawValue: $0) })
    }
  }

  /// Names that SQL's grammar has words for.
  ///
  /// Source: PostgreSQL manual, "SQL Key Words": those that can be the name of a type only.
  private static let grammarNames: Set<String> = [
    "bigint", "bit", "boolean", "char", "character", "dec", "decimal", "float", "int", "integer",
    "interval", "nchar", "numeric", "real", "smallint", "time", "timestamp", "varchar",
  ]

  /// How to ask for a type's identifier: never in a way that the server refuses, whatever the name.
  private static func question(forName name: String) -> (sql: String, parameter: String) {
    let isArray = name.hasSuffix("[]")
    let element = isArray ? String(name.dropLast(2)) : name
    let byName = "SELECT pg_catalog.to_regtype($1)::pg_catalog.oid"
    if grammarNames.contains(element.lowercased()) { return (byName, name) }
    if let parts = try? SQL.splitQualifiedName(element), (1...2).contains(parts.count) {
      if element.contains("\"") { return (byName, name) }
      // Without quotes it is folded, and may be a word that SQL has reserved.
      if let quoted = try? SQL.qualifiedName(parts.map { $0.lowercased() }) {
        return (byName, isArray ? quoted + "[]" : quoted)
      }
    }
    // As format_type writes them: "double precision", "timestamp with time zone".
    let byForm =
      "SELECT oid FROM pg_catalog.pg_type WHERE pg_catalog.format_type(oid, NULL) = $1 LIMIT 1"
    return (byForm, name)
  }

  /// What types are called in SQL, with their schema where that is not the server's own.
  ///
  /// - Throws: ``PGError``: the server's.
  func sqlNames(of oids: [TypeOID]) throws(PGError) -> [String] {
    try lookUp(oids.filter { $0.sqlName == nil }.map(\.rawValue))
    return oids.map { $0.sqlName ?? types.type($0)?.name ?? "oid \($0.rawValue)" }
  }

  /// A row for each of the types, and for each that they are made of: identifier, name, kind, category,
  /// elements' type and delimiter, base type, bounds' type, ranges' type, extension, labels, attributes'
  /// names and types.
  private static func definitions(withMultiranges: Bool) -> String {
    let multirange =
      withMultiranges
      ? "(SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid)" : "NULL::oid"
    return """
      WITH RECURSIVE wanted(oid) AS (
        SELECT pg_catalog.unnest($1::pg_catalog.oid[])
        UNION
        SELECT part.oid FROM wanted w JOIN pg_catalog.pg_type t ON t.oid = w.oid, LATERAL (
          SELECT t.typbasetype UNION ALL
          SELECT t.typelem WHERE t.typcategory = 'A' UNION ALL
          SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid UNION ALL
          SELECT \(multirange) UNION ALL
          SELECT a.atttypid FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
        ) part(oid) WHERE part.oid <> 0)
      SELECT t.oid,
        CASE WHEN n.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.oid, NULL)
          ELSE pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(e.typname)
            || CASE WHEN e.oid = t.oid THEN '' ELSE '[]' END END,
        t.typtype, t.typcategory, t.typelem, coalesce(e.typdelim, t.typdelim), t.typbasetype,
        (SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid),
        \(multirange),
        (SELECT x.extname FROM pg_catalog.pg_depend d
          JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
          WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid
            AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
            AND d.deptype = 'e'),
        t.typname,
        ARRAY(SELECT l.enumlabel FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid
          ORDER BY l.enumsortorder),
        ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid
          AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum),
        ARRAY(SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid
          AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
      FROM wanted w JOIN pg_catalog.pg_type t ON t.oid = w.oid
        JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
        JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0
          THEN t.typelem ELSE t.oid END
      """
  }
}

/// The rows of a look-up, on their way to being types.
private struct FoundTypes {
  private struct Found {
    let name: String
    let kind: String
    let category: String
    let element: TypeOID
    let delimiter: UInt8
    let base: TypeOID
    let bound: TypeOID?
    let range: TypeOID?
    let extensionForm: ExtensionForm?
    let labels: [String]
    let attributes: [(String, TypeOID)]
  }

  private let registry: TypeRegistry
  private var found: [TypeOID: Found] = [:]
  private var resolved: [TypeOID: PGType] = [:]

  init(registry: TypeRegistry) { self.registry = registry }

  mutating func add(_ row: Row) throws(PGError) {
    func oid(_ index: Int) throws(PGError) -> TypeOID? {
      try row[index, as: UInt32?.self].map { TypeOID(rawValue: $0) }
    }
    let known = ExtensionForm(rawValue: try row[10, as: String.self])
    let extensionName = try row[9, as: String?.self]
    let form = known?.extensionName == extensionName ? known : nil
    let names = try row[12, as: [String].self]
    let types = try row[13, as: [UInt32].self]
    found[try oid(0) ?? .unspecified] = Found(
      name: try row[1, as: String.self], kind: try row[2, as: String.self],
      category: try row[3, as: String.self], element: try oid(4) ?? .unspecified,
      delimiter: try row[5, as: String.self].utf8.first ?? ASCII.comma,
      base: try oid(6) ?? .unspecified, bound: try oid(7), range: try oid(8), extensionForm: form,
      labels: try row[11, as: [String].self],
      attributes: Array(zip(names, types.map { TypeOID(rawValue: $0) })))
  }

  /// The types; one that the server does not have is one of which nothing is known.
  mutating func resolve(_ wanted: [TypeOID]) -> [TypeOID: PGType] {
    for oid in wanted { _ = type(oid) }
    return resolved
  }

  /// How deep types may be made of types; servers allow no circles.
  ///
  /// Values of what is deeper still are text. Reading a value takes a few kilobytes of the stack for
  /// each level.
  private static let depthLimit = 100
  private var depth = 0

  private mutating func type(_ oid: TypeOID) -> PGType {
    if let type = resolved[oid] ?? registry.type(oid) { return type }
    guard let entry = found[oid] else {
      if oid.isBuiltin, registry.codec(for: oid) == nil { return registry.builtin(oid) }
      let type = PGType(oid, TypeDefinition(name: oid.name, .gone))
      resolved[oid] = type
      return type
    }
    depth += 1
    defer { depth -= 1 }
    let kind: TypeDefinition.Kind =
      registry.codec(for: oid).map { .custom($0) }
      ?? (depth > Self.depthLimit ? .opaque : kind(of: entry, oid))
    let type =
      if case .opaque = kind, oid.isBuiltin { registry.builtin(oid) } else {
        PGType(oid, TypeDefinition(name: entry.name, kind))
      }
    resolved[oid] = type
    return type
  }

  private mutating func kind(of entry: Found, _ oid: TypeOID) -> TypeDefinition.Kind {
    if let form = entry.extensionForm, entry.kind == "b" { return .extensionType(form) }
    switch entry.kind {
    case "d": return .domain(type(entry.base))
    case "e": return .enumeration(entry.labels)
    case "r": return entry.bound.map { .range(type($0)) } ?? .opaque
    case "m": return entry.range.map { .multirange(type($0)) } ?? .opaque
    case "c":
      var attributes: [PGAttribute] = []
      for (name, oid) in entry.attributes { attributes.append(PGAttribute(name, type(oid))) }
      return .composite(attributes)
    default:
      guard entry.category == "A", entry.element != .unspecified else { return .opaque }
      return .array(type(entry.element), delimiter: entry.delimiter)
    }
  }
}
