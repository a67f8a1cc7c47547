/// What PGKit knows of the types that every server has.
public enum BuiltinTypes {
  /// The format to ask for a result column of `type`: binary where PGKit reads it, else text.
  ///
  /// xml is asked for as text: its binary form carries an encoding declaration that its text form
  /// does not have.
  public static func resultFormat(for type: TypeOID) -> PGFormat {
    switch type {
    case .bool, .int2, .int4, .int8, .oid, .xid, .xid8, .cid, .float4, .float8, .text, .varchar,
      .bpchar, .name, .char, .unknown, .json, .jsonb, .bytea, .numeric, .uuid, .date, .time,
      .timetz, .timestamp, .timestamptz, .interval:
      .binary
    default: .text
    }
  }
}
