/// Looks through anonymous records for types that not every server has, before the records are read:
/// each value says itself what it is made of, so nothing else can know.
struct RecordScan {
  /// The types that were found.
  private(set) var found: Set<TypeOID> = []

  /// Looks through a value of a type that holds records, in binary.
  ///
  /// What is malformed ends it: that is told when the value is read.
  mutating func look(at value: ByteReader, of type: PGType) {
    try? look(value, type, depth: 0)
  }

  private mutating func look(
    _ value: ByteReader, _ type: PGType, depth: UInt16
  ) throws {
    guard depth < PGRecord.depthLimit else { return }
    var reader = value
    switch type.base {
    case .record:
      for _ in 0..<(try reader.readCount32(ofSize: 8)) {
        let member = TypeOID(rawValue: try reader.readInteger())
        if !member.isBuiltin { found.insert(member) }
        try lookAtField(&reader, PGType(member), depth: depth)
      }
    case .recordArray:
      let (shape, _) = try ArrayShape.decodeBinary(&reader, as: type)
      for _ in 0..<(shape.count ?? 0) {
        try lookAtField(&reader, PGType(.record), depth: depth)
      }
    default: return
    }
  }

  private mutating func lookAtField(
    _ reader: inout ByteReader, _ type: PGType, depth: UInt16
  ) throws {
    guard let length = try reader.readNullableLength() else { return }
    let field = try reader.readSlice(length)
    if type.holdsRecords { try look(field, type, depth: depth + 1) }
  }
}
