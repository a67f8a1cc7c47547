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
    Self.encode(resultFormats: resultFormats, into: &writer)
  }

  /// Writes what a Bind ends with.
  static func encode(resultFormats: [Int16], into writer: inout ByteWriter) {
    writer.writeInteger(UInt16(truncatingIfNeeded: resultFormats.count))
    for format in resultFormats { writer.writeInteger(format) }
  }
}

/// The parameters of a Bind: their formats, and their values already in the form that they travel
/// in, each preceded by its length (−1 for NULL).
struct BoundParameters {
  /// The protocol counts parameters in 16 bits.
  static let limit = 65_535

  private(set) var count = 0
  /// The format of all of them, as long as they have the same one.
  private var format: Int16 = 0
  /// The format of each, once they differ: most statements' do not, and need no memory for it.
  private var formats: [Int16] = []
  private(set) var values: ByteWriter

  init(lengthLimit: Int = ByteWriter.lengthLimit) { values = ByteWriter(lengthLimit: lengthLimit) }

  /// How many bytes they are in a Bind.
  var size: Int { 4 + count * 2 + values.count }

  /// Forgets all of them; their memory is kept for others, unless they are huge.
  mutating func removeAll() {
    count = 0
    formats.removeAll(keepingCapacity: true)
    values.removeFirst(values.count)
  }

  /// Adds NULL.
  mutating func appendNull() {
    note(format: 0)
    values.writeInteger(-1 as Int32)
  }

  /// Adds a value that `body` writes in the format of that code.
  mutating func append<Failure: Error>(
    format: Int16, _ body: (inout ByteWriter) throws(Failure) -> Void
  ) throws(Failure) {
    note(format: format)
    try values.writeLengthPrefixed(body)
  }

  private mutating func note(format new: Int16) {
    if count == 0 { format = new }
    if formats.isEmpty, new != format { for _ in 0..<count { formats.append(format) } }
    if !formats.isEmpty { formats.append(new) }
    count += 1
  }

  func encode(into writer: inout ByteWriter) {
    writer.writeInteger(UInt16(truncatingIfNeeded: count))
    if formats.isEmpty {
      for _ in 0..<count { writer.writeInteger(format) }
    } else {
      for format in formats { writer.writeInteger(format) }
    }
    writer.writeInteger(UInt16(truncatingIfNeeded: count))
    writer.writeBytes(values.bytes)
  }
}
