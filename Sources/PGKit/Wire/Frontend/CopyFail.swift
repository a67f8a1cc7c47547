/// Ends copied data in failure: the server answers with an error that quotes the reason.
struct CopyFail: FrontendMessage {
  static let tag: FrontendTag? = .copyFail

  let reason: String

  func encodeBody(into writer: inout ByteWriter) { writer.writeTerminated(reason) }
}
