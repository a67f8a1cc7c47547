/// The types of a prepared statement's parameters.
struct ParameterDescription: Equatable, Sendable {
  let typeOIDs: [UInt32]

  /// A server counts them in 16 bits, and describes more than that all the same: their number is then what
  /// the message has room for, and the count is its lower half.
  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    let count = Int(try reader.readInteger(UInt16.self))
    let total = reader.remaining / 4
    guard reader.remaining == total * 4, total & 0xFFFF == count else { throw OutOfBytes() }
    var types: [UInt32] = []
    types.reserveCapacity(total)
    for _ in 0..<total { types.append(try reader.readInteger()) }
    typeOIDs = types
  }
}
