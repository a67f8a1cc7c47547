/// A `money` amount: a whole number of the smallest unit of the server's currency.
///
/// How many of its digits are decimals, and how it looks as text, is `lc_monetary`'s choice on the
/// server; the binary form is the same everywhere.
///
/// Source: PostgreSQL manual, "Monetary Types".
public struct PGMoney: Hashable, Comparable, Sendable {
  /// The amount in the smallest unit: cents, where the currency has cents.
  public let units: Int64

  /// Makes an amount.
  public init(units: Int64) { self.units = units }

  /// Whether the left one is smaller.
  public static func < (left: PGMoney, right: PGMoney) -> Bool { left.units < right.units }
}

extension PGMoney: PGSQLType {
  /// `money`.
  public static var sqlType: TypeOID { .money }

  /// Writes the units.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeInteger(units)
  }

  /// Reads the units.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    units = try reader.readWhole(of: type)
  }
}

extension PGMoney {
  /// Binary for its own type, and no other: what its text is, depends on the server.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.base == .money ? .binary : nil
  }

  /// Refused: what its text is, depends on the server.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    // To be shown, it has the form of most currencies.
    guard type.isShown else {
      throw .unwritable(Self.self, as: type, " as text, which depends on the server's lc_monetary")
    }
    formatText(into: &writer)
  }

  /// Accepts money in binary.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.base == .money && format == .binary
  }
}

extension PGMoney: PGTextConvertible {
  /// Writes the amount with two decimals, as most currencies have: `-1234.56`.
  public func formatText(into writer: inout ByteWriter) {
    if units < 0 { writer.writeByte(ASCII.minus) }
    let (whole, cents) = units.magnitude.quotientAndRemainder(dividingBy: 100)
    writer.writeDecimal(whole)
    writer.writeByte(ASCII.dot)
    writer.writeDecimal(cents, width: 2)
  }

  /// Reads what ``formatText(into:)`` writes.
  public static func parseText(_ reader: inout ByteReader) -> PGMoney? {
    let text = reader.readRemaining()
    guard text.count >= 4, text[text.count - 3] == ASCII.dot else { return nil }
    let digits = text.dropLast(3) + text.suffix(2)
    return Int64(String(decoding: digits, as: UTF8.self)).map { PGMoney(units: $0) }
  }
}
