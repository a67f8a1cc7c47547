/// The types of a prepared statement's parameters.
struct ParameterDescription: Equatable, Sendable {
  let typeOIDs: [UInt32]

  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    let count = try reader.readCount16(ofSize: 4)
    var types: [UInt32] = []
    types.reserveCapacity(count)
    for _ in 0..<count { types.append(try reader.readInteger()) }
    typeOIDs = types
  }
}
