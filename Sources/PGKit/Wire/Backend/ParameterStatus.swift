/// A setting that the server reports, at the start and whenever it changes.
struct ParameterStatus: Equatable, Sendable {
  let name: String
  let value: String

  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    name = try reader.readTerminatedString()
    value = try reader.readTerminatedString()
  }
}
