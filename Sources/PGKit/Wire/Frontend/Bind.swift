/// Makes a portal of a prepared statement and parameters.
struct Bind: FrontendMessage {
  static let tag: FrontendTag? = .bind

  /// The portal's name; empty for the unnamed one.
  let portal: String
  let statement: String
  let parameters: BoundParameters
  /// Format codes of the result's columns: none (all text), one for all, or one for each.
  let resultFormats: [Int16]

  func encodeBody(into writer: inout ByteWriter) {
    writer.writeTerminated(portal)
    writer.writeTerminated(statement)
    parameters.encode(into: &writer)
    writer.writeInteger(UInt16(truncatingIfNeeded: resultFormats.count))
    for format in resultFormats { writer.writeInteger(format) }
  }
}

/// The parameters of a Bind: their formats, and their values already in the form that they travel
/// in, each preceded by its length (−1 for NULL).
struct BoundParameters {
  /// The protocol counts parameters in 16 bits.
  static let limit = 65_535

  private(set) var formats: [Int16] = []
  private(set) var values: ByteWriter

  init(lengthLimit: Int = ByteWriter.lengthLimit) { values = ByteWriter(lengthLimit: lengthLimit) }

  var count: Int { formats.count }
  /// How many bytes they are in a Bind.
  var size: Int { 4 + formats.count * 2 + values.count }

  /// Forgets all of them; their memory is kept for others, unless they are huge.
  mutating func removeAll() {
    formats.removeAll(keepingCapacity: true)
    values.removeFirst(values.count)
  }

  /// Adds NULL.
  mutating func appendNull() {
    formats.append(0)
    values.writeInteger(-1 as Int32)
  }

  /// Adds a value that `body` writes in the format of that code.
  mutating func append<Failure: Error>(
    format: Int16, _ body: (inout ByteWriter) throws(Failure) -> Void
  ) throws(Failure) {
    formats.append(format)
    try values.writeLengthPrefixed(body)
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeInteger(UInt16(truncatingIfNeeded: formats.count))
    for format in formats { writer.writeInteger(format) }
    writer.writeInteger(UInt16(truncatingIfNeeded: formats.count))
    writer.writeBytes(values.bytes)
  }
}
