/// What PGKit knows of the formats that types travel in.
public enum BuiltinTypes {
  /// The format to ask for a result column of `type`: binary where PGKit reads it, else text.
  ///
  /// xml is asked for as text: its binary form carries an encoding declaration that its text form
  /// does not have. So are the names that the catalogues' `reg` types show, and what has no binary
  /// form at all.
  public static func resultFormat(for type: PGType) -> PGFormat {
    if let definition = type.definition {
      guard case .custom(let codec) = definition.kind else { return definition.resultFormat }
      return codec.resultFormat(for: type)
    }
    switch type.base {
    case .bool, .int2, .int4, .int8, .oid, .xid, .xid8, .cid, .float4, .float8, .text, .varchar,
      .bpchar, .name, .char, .unknown, .json, .jsonb, .bytea, .numeric, .uuid, .date, .time,
      .timetz, .timestamp, .timestamptz, .interval:
      return .binary
    case .money, .inet, .cidr, .macaddr, .macaddr8, .bit, .varbit, .point, .line, .lseg, .box,
      .path, .polygon, .circle, .tsvector, .tsquery, .pgLsn, .tid, .pgSnapshot, .txidSnapshot,
      .jsonpath, .refcursor, .cstring, .hstore, .vector, .record:
      return .binary
    default:
      guard let part = type.element ?? type.bound ?? type.range else { return .text }
      return resultFormat(for: part)
    }
  }
}
