/// The server does not know the minor version or some options that the startup packet asked for.
struct NegotiateProtocolVersion: Equatable, Sendable {
  /// The newest version that it speaks.
  let version: ProtocolVersion
  /// The protocol options that it does not know.
  let unknownOptions: [String]

  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    version = ProtocolVersion(code: try reader.readInteger())
    let count = try reader.readCount32(ofSize: 1)
    var options: [String] = []
    for _ in 0..<count { options.append(try reader.readTerminatedString()) }
    unknownOptions = options
  }
}
