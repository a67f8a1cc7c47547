/// The columns of a result.
struct RowDescription: Equatable, Sendable {
  /// One column.
  struct Field: Hashable, Sendable {
    /// Seven members, of which the name takes at least its ending byte.
    static let minimumSize = 19

    let name: String
    /// The table that the column comes from, or 0.
    let tableOID: UInt32
    /// The column's number in it, or 0.
    let attributeNumber: Int16
    let typeOID: UInt32
    /// `pg_type.typlen`: negative for types of variable length.
    let typeSize: Int16
    let typeModifier: Int32
    /// 0 for text, 1 for binary; always 0 when a statement and not a portal is described.
    let format: Int16

    init(decoding reader: inout ByteReader) throws(OutOfBytes) {
      name = try reader.readTerminatedString()
      tableOID = try reader.readInteger()
      attributeNumber = try reader.readInteger()
      typeOID = try reader.readInteger()
      typeSize = try reader.readInteger()
      typeModifier = try reader.readInteger()
      format = try reader.readInteger()
      guard format == 0 || format == 1 else { throw OutOfBytes() }
    }
  }

  let fields: [Field]

  init(fields: [Field]) { self.fields = fields }

  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    let count = try reader.readCount16(ofSize: Field.minimumSize)
    var fields: [Field] = []
    fields.reserveCapacity(count)
    for _ in 0..<count { fields.append(try Field(decoding: &reader)) }
    self.fields = fields
  }
}
