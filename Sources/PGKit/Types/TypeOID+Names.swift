// What a type is called in SQL, and which Swift type stands for it.

extension TypeOID {
  /// The name that SQL's standard has for the type, or else PostgreSQL's own, as it is written in a
  /// cast: `INTEGER`, `VARCHAR`, `jsonb`, `INTEGER[]`; `nil` for a type that not every server has.
  public var sqlName: String? {
    guard let builtinName else { return nil }
    // An array's own name is its elements' with a line in front.
    if builtinName.hasPrefix("_") { return Self.sqlName(String(builtinName.dropFirst())) + "[]" }
    return Self.sqlName(builtinName)
  }

  private static func sqlName(_ name: String) -> String {
    switch name {
    case "bool": "BOOLEAN"
    case "int2": "SMALLINT"
    case "int4": "INTEGER"
    case "int8": "BIGINT"
    case "float4": "REAL"
    case "float8": "DOUBLE PRECISION"
    case "numeric": "NUMERIC"
    case "varchar": "VARCHAR"
    case "bpchar": "CHARACTER"
    case "bit": "BIT"
    case "varbit": "BIT VARYING"
    case "date": "DATE"
    case "time": "TIME WITHOUT TIME ZONE"
    case "timetz": "TIME WITH TIME ZONE"
    case "timestamp": "TIMESTAMP WITHOUT TIME ZONE"
    case "timestamptz": "TIMESTAMP WITH TIME ZONE"
    case "interval": "INTERVAL"
    case "xml": "XML"
    case "char": "\"char\""  // without the quotes it is CHARACTER
    default: name
    }
  }

  /// The Swift type that its values have as a ``PGValue``.
  public var swiftType: any PGColumnValue.Type {
    switch self {
    case .bool: Bool.self
    case .int2: Int16.self
    case .int4: Int32.self
    case .int8: Int64.self
    case .oid, .xid, .cid: UInt32.self
    case .xid8: UInt64.self
    case .float4: Float.self
    case .float8: Double.self
    case .numeric: PGNumeric.self
    case .date: PGDate.self
    case .time: PGTime.self
    case .timetz: PGTimeTZ.self
    case .timestamp: PGTimestamp.self
    case .timestamptz: PGTimestampTZ.self
    case .interval: PGInterval.self
    case .uuid: PGUUID.self
    case .bytea: [UInt8].self
    case .json, .jsonb: PGJSON.self
    case .money: PGMoney.self
    case .xml: PGXML.self
    case .inet, .cidr: PGInet.self
    case .macaddr, .macaddr8: PGMACAddress.self
    case .bit, .varbit: PGBits.self
    case .point: PGPoint.self
    case .line: PGLine.self
    case .lseg: PGSegment.self
    case .box: PGBox.self
    case .path: PGPath.self
    case .polygon: PGPolygon.self
    case .circle: PGCircle.self
    case .tsvector: PGTextSearchVector.self
    case .tsquery: PGTextSearchQuery.self
    case .pgLsn: PGLSN.self
    case .tid: PGTID.self
    case .pgSnapshot, .txidSnapshot: PGSnapshot.self
    case .hstore: [String: String?].self
    case .vector: [Float].self
    case .record: PGRecord.self
    default: String.self
    }
  }
}

extension TypeOID {
  /// Whether it is one of the types that show something of the catalogues by its name, and whose
  /// binary form is the identifier.
  ///
  /// Source: PostgreSQL manual, "Object Identifier Types".
  var isNamedObject: Bool {
    switch self {
    case .regproc, .regprocedure, .regoper, .regoperator, .regclass, .regtype, .regconfig,
      .regdictionary, .regnamespace, .regrole, .regcollation:
      true
    default: false
    }
  }
}

extension PGType {
  /// The Swift type that its values have as a ``PGValue``; of a domain, that of what it is over.
  public var swiftType: any PGColumnValue.Type {
    if case .custom(let codec)? = definition?.kind { return codec.type }
    if element != nil { return PGArray<PGValue>.self }
    if attributes != nil { return PGRecord.self }
    if bound != nil { return PGRange<PGValue>.self }
    if range != nil { return PGMultirange<PGValue>.self }
    return base.swiftType
  }
}
