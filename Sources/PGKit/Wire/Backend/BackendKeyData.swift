/// What a cancel request must show: the server process and its secret.
struct BackendKeyData: Hashable, Sendable {
  /// Protocol 3.2 allows secrets of up to 256 bytes; 3.0 always has 4.
  static let secretLimit = 256

  let processID: Int32
  let secret: [UInt8]

  init(processID: Int32, secret: [UInt8]) {
    self.processID = processID
    self.secret = secret
  }

  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    processID = try reader.readInteger()
    guard reader.remaining >= 4, reader.remaining <= Self.secretLimit else { throw OutOfBytes() }
    secret = reader.readRemaining()
  }
}
