/// Runs a portal to its end.
struct Execute: FrontendMessage {
  static let tag: FrontendTag? = .execute

  let portal: String

  func encodeBody(into writer: inout ByteWriter) {
    writer.writeTerminated(portal)
    // The most rows to send before PortalSuspended; 0 is all of them.
    writer.writeInteger(0 as Int32)
  }
}
