/// Runs a portal.
struct Execute: FrontendMessage {
  static let tag: FrontendTag? = .execute

  let portal: String
  /// The most rows to send before PortalSuspended; 0 for all.
  var rowLimit: Int32 = 0

  func encodeBody(into writer: inout ByteWriter) {
    writer.writeTerminated(portal)
    writer.writeInteger(rowLimit)
  }
}
