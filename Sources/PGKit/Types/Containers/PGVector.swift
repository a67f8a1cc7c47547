/// The `vector` of the extension pgvector: numbers in a row.
///
/// Source: the extension's `vector_send` and `vector_recv`.
struct PGVector: Sendable {
  let values: [Float]

  init(_ values: [Float]) { self.values = values }

  static func decode(
    _ reader: inout ByteReader, _ type: PGType, _ format: PGFormat
  ) throws(PGError) -> [Float] {
    switch format {
    case .binary: try PGVector(binary: &reader, as: type).values
    case .text: try PGVector(text: &reader, as: type).values
    }
  }
}

extension PGVector: PGEncodable, PGDecodable {
  func encodingFormat(for type: PGType) -> PGFormat? {
    type.base == .vector ? .binary : type.takesAnyText ? .text : nil
  }

  static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.base == .vector }

  /// Writes the count, a field of no use, and the numbers.
  func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    guard let count = Int16(exactly: values.count) else {
      throw .outOfRange([Float].self, as: type)
    }
    writer.writeInteger(count)
    writer.writeInteger(0 as Int16)
    for value in values { writer.writeInteger(value.bitPattern) }
  }

  init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    let count: Int16 = try reader.readField(of: type)
    let unused: Int16 = try reader.readField(of: type)
    guard count >= 0, unused == 0, reader.remaining == Int(count) * 4 else {
      throw .malformed(type, "a wrong count of numbers")
    }
    var values: [Float] = []
    while !reader.isAtEnd { values.append(Float(bitPattern: try reader.readField(of: type))) }
    self.values = values
  }

  /// Writes `[1,2.5]`.
  func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeByte(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { writer.writeByte(ASCII.comma) }
      FloatText(value, fixedBelow: 6).format(into: &writer)
    }
    writer.writeByte(UInt8(ascii: "]"))
  }

  init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    guard reader.take(UInt8(ascii: "[")) else { throw Self.malformed(type) }
    var values: [Float] = []
    if !reader.take(UInt8(ascii: "]")) {
      repeat {
        let length = reader.unread.firstIndex { $0 == ASCII.comma || $0 == UInt8(ascii: "]") }
        guard let length, let slice = try? reader.readSlice(length),
          let value = String(validating: slice.unread, as: UTF8.self)
            .flatMap({ FloatText.number($0) as Float? })
        else { throw Self.malformed(type) }
        values.append(value)
      } while reader.take(ASCII.comma)
      guard reader.take(UInt8(ascii: "]")) else { throw Self.malformed(type) }
    }
    guard reader.isAtEnd else { throw Self.malformed(type) }
    self.values = values
  }

  private static func malformed(_ type: PGType) -> PGError {
    .malformed(type, "it is not the text form of a vector")
  }
}
