/// The start of copied data: its direction and formats.
struct CopyResponse: Equatable, Sendable {
  enum Direction: Sendable { case `in`, out, both }

  let direction: Direction
  /// Whether the data as a whole is in the binary format.
  let isBinary: Bool
  /// The format code of each column.
  let columnFormats: [Int16]

  init(_ direction: Direction, decoding reader: inout ByteReader) throws(OutOfBytes) {
    self.direction = direction
    switch try reader.readByte() {
    case 0: isBinary = false
    case 1: isBinary = true
    default: throw OutOfBytes()
    }
    let count = try reader.readCount16(ofSize: 2)
    var formats: [Int16] = []
    formats.reserveCapacity(count)
    for _ in 0..<count { formats.append(try reader.readInteger()) }
    columnFormats = formats
  }
}
