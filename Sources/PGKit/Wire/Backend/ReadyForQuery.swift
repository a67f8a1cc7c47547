/// Whether a session is inside a transaction block.
public enum TransactionStatus: UInt8, Sendable {
  /// Outside.
  case idle = 0x49  // I
  /// Inside.
  case inTransaction = 0x54  // T
  /// Inside one that has failed: everything but its end is refused.
  case failed = 0x45  // E

  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    guard let status = Self(rawValue: try reader.readByte()) else { throw OutOfBytes() }
    self = status
  }
}
