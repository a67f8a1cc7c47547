// Reads that know which type's value they are inside, so that running dry becomes its error.

extension ByteReader {
  /// Reads the next integer of a value.
  mutating func readField<Value: FixedWidthInteger>(
    _ width: Value.Type = Value.self, of type: PGType
  ) throws(PGError) -> Value {
    do { return try readInteger() } catch { throw .malformed(type, "it ends too early") }
  }

  /// Reads a value that is one integer and nothing else.
  mutating func readWhole<Value: FixedWidthInteger>(
    _ width: Value.Type = Value.self, of type: PGType
  ) throws(PGError) -> Value {
    let value: Value = try readField(of: type)
    try expectEnd(of: type)
    return value
  }

  /// Insists that the value's bytes are used up.
  func expectEnd(of type: PGType) throws(PGError) {
    guard isAtEnd else { throw .malformed(type, "\(remaining) bytes too many") }
  }

  /// Reads all that remains as text, which must be UTF-8: a value is never repaired.
  mutating func readWholeText(of type: PGType) throws(PGError) -> String {
    guard let text = readText() else { throw .malformed(type, "it is not valid UTF-8") }
    return text
  }
}
