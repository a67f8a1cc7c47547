/// An event of NOTIFY.
struct NotificationResponse: Hashable, Sendable {
  /// The process that notified.
  let processID: Int32
  let channel: [UInt8]
  let payload: [UInt8]

  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    processID = try reader.readInteger()
    var name = try reader.readTerminated()
    channel = name.readRemaining()
    var text = try reader.readTerminated()
    payload = text.readRemaining()
  }
}
