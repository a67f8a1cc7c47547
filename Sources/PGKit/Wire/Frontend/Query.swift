/// A simple query: any number of statements as text.
struct Query: FrontendMessage {
  static let tag: FrontendTag? = .query

  let sql: String

  func encodeBody(into writer: inout ByteWriter) { writer.writeTerminated(sql) }
}
