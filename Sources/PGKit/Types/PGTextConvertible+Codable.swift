// Values as members of `Codable` structures: in a row they are the column's value, elsewhere, as in
// JSON, their text form.

extension PGTextConvertible {
  /// Reads the text form.
  ///
  /// - Throws: `DecodingError.dataCorrupted` if the text is none, and what the decoder throws.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Self(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "this text is no \(Self.self)")
    }
    self = value
  }

  /// Writes the text form.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension PGNumeric: Codable {}
extension PGMoney: Codable {}
extension PGDate: Codable {}
extension PGTime: Codable {}
extension PGTimeTZ: Codable {}
extension PGTimestamp: Codable {}
extension PGTimestampTZ: Codable {}
extension PGInterval: Codable {}
extension PGUUID: Codable {}
extension PGInet: Codable {}
extension PGMACAddress: Codable {}
extension PGBits: Codable {}
extension PGPoint: Codable {}
extension PGLine: Codable {}
extension PGSegment: Codable {}
extension PGBox: Codable {}
extension PGPath: Codable {}
extension PGPolygon: Codable {}
extension PGCircle: Codable {}
extension PGTextSearchVector: Codable {}
extension PGTextSearchQuery: Codable {}
extension PGLSN: Codable {}
extension PGTID: Codable {}
extension PGSnapshot: Codable {}
