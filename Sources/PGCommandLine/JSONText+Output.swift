@_exported public import PGJSONText

extension JSONText {
  /// Appends text in quotes.
  public static func append(_ text: String, to buffer: inout OutputBuffer) {
    append(text, to: &buffer.gathered)
  }

  /// Appends text in quotes; the bytes must be UTF-8.
  public static func append(
    _ bytes: UnsafeRawBufferPointer, to buffer: inout OutputBuffer
  ) throws(NotUTF8) {
    try append(bytes, to: &buffer.gathered)
  }

  /// Appends a JSON document of the server on one line: newlines between its tokens become spaces.
  public static func appendDocument(
    _ bytes: UnsafeRawBufferPointer, to buffer: inout OutputBuffer
  ) throws(NotUTF8) {
    try appendDocument(bytes, to: &buffer.gathered)
  }
}
