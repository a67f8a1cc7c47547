/// An event of NOTIFY, borrowed as the reader is that it was decoded from.
///
/// There may be many of these, so nothing is made of their texts before somebody wants to see them.
struct NotificationResponse {
  /// The process that notified.
  let processID: Int32
  let channel: ByteReader
  let payload: ByteReader

  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    processID = try reader.readInteger()
    channel = try reader.readTerminated()
    payload = try reader.readTerminated()
  }
}
