/// An event of NOTIFY.
struct NotificationResponse: Hashable, Sendable {
  /// The process that notified.
  let processID: Int32
  let channel: String
  /// What is not UTF-8 is repaired here.
  let payload: String
  /// The payload's bytes where they are not UTF-8.
  let rawPayload: [UInt8]?

  init(decoding reader: inout ByteReader) throws(OutOfBytes) {
    processID = try reader.readInteger()
    channel = try reader.readTerminatedString()
    var bytes = try reader.readTerminated()
    var copy = bytes
    if let text = bytes.readText() {
      (payload, rawPayload) = (text, nil)
    } else {
      let raw = copy.readRemaining()
      (payload, rawPayload) = (String(decoding: raw, as: UTF8.self), raw)
    }
  }
}
