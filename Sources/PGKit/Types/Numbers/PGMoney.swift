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

extension PGMoney: PGTextConvertible {
  /// Writes the amount with two decimals, as most currencies have: `-1234.56`.
  public func formatText(into writer: inout ByteWriter) {
    if units < 0 { writer.writeByte(ASCII.minus) }
    let (whole, cents) = units.magnitude.quotientAndRemainder(dividingBy: 100)
    writer.writeDecimal(whole)
    writer.writeByte(ASCII.dot)
    writer.writeDecimal(cents, width: 2)
  }

  /// Reads an amount as the server shows it, whatever its currency: all the digits, and a minus sign or
  /// parentheses where it is negative.
  public static func parseText(_ reader: inout ByteReader) -> PGMoney? {
    var digits: [UInt8] = []
    var isNegative = false
    for byte in reader.readRemaining() {
      if ASCII.isDigit(byte) { digits.append(byte) }
      if byte == ASCII.minus || byte == UInt8(ascii: "(") { isNegative = true }
    }
    digits.insert(isNegative ? ASCII.minus : ASCII.plus, at: 0)
    return Int64(String(decoding: digits, as: UTF8.self)).map { PGMoney(units: $0) }
  }
}
