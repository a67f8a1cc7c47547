/// The decimal form of a float as the server lays it out: Swift's shortest digits, in PostgreSQL's
/// arrangement (`1e+15`, `0.0001`, `1e-05`, without a trailing `.0`).
struct FloatText {
  private enum Form {
    case word(StaticString)
    /// 0.d₁d₂d₃… × 10^point
    case digits([UInt8], point: Int)
  }

  private let isNegative: Bool
  private let form: Form
  /// Numbers of this many or more digits before the point are written with an exponent.
  private let fixedLimit: Int

  init<Value: BinaryFloatingPoint & CustomStringConvertible>(_ value: Value, fixedBelow: Int) {
    fixedLimit = fixedBelow
    isNegative = value.sign == .minus && !value.isNaN
    if value.isFinite {
      form = Self.split(value.magnitude.description)
    } else {
      form = .word(value.isNaN ? "NaN" : "Infinity")
    }
  }

  /// Takes Swift's own form, as in `12.5`, `5e-324` or `1.5e+300`, apart.
  private static func split(_ text: String) -> Form {
    var digits: [UInt8] = []
    var point: Int?
    var exponent = 0
    for (index, byte) in text.utf8.enumerated() {
      if ASCII.isDigit(byte) {
        digits.append(byte)
      } else if byte == ASCII.dot {
        point = digits.count
      } else {
        exponent = Int(text.dropFirst(index + 1)) ?? 0
        break
      }
    }
    let leading = digits.prefix { $0 == ASCII.zero }.count
    let position = (point ?? digits.count) + exponent - leading
    digits.removeFirst(leading)
    while digits.last == ASCII.zero { digits.removeLast() }
    return .digits(digits, point: position)
  }

  /// Writes the form.
  func format(into writer: inout ByteWriter) {
    if isNegative { writer.writeByte(ASCII.minus) }
    switch form {
    case .word(let word): word.withUTF8Buffer { writer.writeBytes($0) }
    case .digits(let digits, _) where digits.isEmpty: writer.writeByte(ASCII.zero)
    case .digits(let digits, let point) where point > -4 && point <= fixedLimit:
      formatFixed(digits, point, into: &writer)
    case .digits(let digits, let point): formatScientific(digits, point - 1, into: &writer)
    }
  }

  private func formatFixed(_ digits: [UInt8], _ point: Int, into writer: inout ByteWriter) {
    if point <= 0 {
      writer.writeText("0.")
      writer.writeBytes(repeatElement(ASCII.zero, count: -point))
      return writer.writeBytes(digits)
    }
    writer.writeBytes(digits.prefix(point))
    writer.writeBytes(repeatElement(ASCII.zero, count: max(0, point - digits.count)))
    guard digits.count > point else { return }
    writer.writeByte(ASCII.dot)
    writer.writeBytes(digits.dropFirst(point))
  }

  private func formatScientific(_ digits: [UInt8], _ exponent: Int, into writer: inout ByteWriter) {
    writer.writeBytes(digits.prefix(1))
    if digits.count > 1 {
      writer.writeByte(ASCII.dot)
      writer.writeBytes(digits.dropFirst())
    }
    writer.writeByte(UInt8(ascii: "e"))
    writer.writeByte(exponent < 0 ? ASCII.minus : ASCII.plus)
    writer.writeDecimal(UInt64(exponent.magnitude), width: 2)
  }

  /// Reads a float's text form, all that remains.
  static func parse<Value: BinaryFloatingPoint & LosslessStringConvertible>(
    _ reader: inout ByteReader, as type: PGType
  ) throws(PGError) -> Value {
    let text = try reader.readWholeText(of: type)
    guard let value = Value(text) else { throw .malformed(type, "not a number") }
    return value
  }
}
