public import Foundation
public import PGKit

extension Decimal: PGEncodable, PGDecodable, PGArrayElement {
  /// Whether a parameter of `type` is a numeric.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    PGNumeric.zero.encodingFormat(for: type)
  }

  /// Writes the number exactly.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try PGNumeric(self).encodeBinary(as: type, into: &writer)
  }

  /// Writes the number exactly.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try PGNumeric(self).encodeText(as: type, into: &writer)
  }

  /// Accepts numeric, and the integers, all of which it holds.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    PGNumeric.accepts(type, format)
  }

  /// Reads a number that a Decimal holds exactly.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(PGNumeric(binary: &reader, as: type))
  }

  /// Reads a number that a Decimal holds exactly.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(PGNumeric(text: &reader, as: type))
  }

  /// Makes a Decimal of a numeric, exactly; NaN stays NaN, trailing zeros are lost.
  ///
  /// - Throws: `PGError` `--CIO` for the infinities, and for a number of more digits than a Decimal
  ///   holds (about 38): read those columns as `PGNumeric`.
  public init(_ numeric: PGNumeric) throws(PGError) {
    if numeric.isNaN {
      self = .nan
      return
    }
    // Decimal rounds what it cannot hold; only what reads back as the same number was not rounded.
    guard let value = Decimal(string: numeric.description, locale: Self.neutral),
      PGNumeric(Self.text(of: value)) == numeric
    else { throw .column("the numeric is not one that a Decimal holds exactly") }
    self = value
  }

  fileprivate static let neutral = Locale(identifier: "en_US_POSIX")

  fileprivate static func text(of value: Decimal) -> String {
    NSDecimalNumber(decimal: value).description(withLocale: neutral)
  }
}

extension PGNumeric {
  /// Makes a numeric of a Decimal, exactly.
  public init(_ value: Decimal) {
    // A Decimal's text is digits and a point; NaN is the one that is none.
    self = value.isNaN ? .nan : PGNumeric(Decimal.text(of: value)) ?? .nan
  }
}
