// ErrorResponse and NoticeResponse have the same body; its value, ServerMessage, lives in Errors.

extension ServerMessage {
  /// Decodes the fields: a letter and a text each, ended by a zero byte.
  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    var fields: [(field: Field, value: String)] = []
    while true {
      let letter = try reader.readByte()
      if letter == 0 { break }
      fields.append((Field(rawValue: letter), try reader.readTerminatedString()))
    }
    self.init(fields)
  }
}
