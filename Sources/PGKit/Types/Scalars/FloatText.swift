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
      form = Self.strict(Self.split(value.magnitude.description), of: value.magnitude)
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

  /// The same digits, or more of them where Swift's lie exactly half way to the next number: they read
  /// back as the same one, but the server does not rely on how halves are rounded.
  ///
  /// That happens only to whole numbers beyond the last one up to which all are there.
  private static func strict<Value: BinaryFloatingPoint>(_ form: Form, of value: Value) -> Form {
    guard
      value
        >= Value(
          sign: .plus, exponent: Value.Exponent(Value.significandBitCount + 1), significand: 1),
      case .digits(let digits, let point) = form, let exact = UInt128(exactly: value),
      let above = UInt128(exactly: value.nextUp), let below = UInt128(exactly: value.nextDown),
      let shown = number(digits, point)
    else { return form }
    let highest = exact + (above - exact) / 2
    let lowest = exact - (exact - below) / 2
    guard shown == highest || shown == lowest else { return form }
    let all = Array(String(exact).utf8)
    for count in digits.count + 1..<max(all.count, digits.count + 1) {
      let rounded = rounded(exact, dropping: all.count - count)
      if rounded > lowest, rounded < highest { return split(String(rounded)) }
    }
    return split(String(exact))
  }

  private static func number(_ digits: [UInt8], _ point: Int) -> UInt128? {
    guard point >= digits.count, point < 38 else { return nil }
    let text = digits + repeatElement(ASCII.zero, count: point - digits.count)
    return UInt128(String(decoding: text, as: UTF8.self))
  }

  /// The nearest number with so many zeros at the end.
  private static func rounded(_ number: UInt128, dropping count: Int) -> UInt128 {
    var unit: UInt128 = 1
    for _ in 0..<count { unit *= 10 }
    let (quotient, rest) = number.quotientAndRemainder(dividingBy: unit)
    let goesUp = rest > unit / 2 || (rest == unit / 2 && !quotient.isMultiple(of: 2))
    return (goesUp ? quotient + 1 : quotient) * unit
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
    guard isMeant(value, by: text) else {
      throw .malformed(
        type, "a number beyond the range of \(Value.self)",
        hint: "A server whose extra_float_digits is below 1 rounds what it prints, even upwards.")
    }
    return value
  }

  /// The number of a text form; `nil` if it is none, or beyond the range.
  static func number<Value: BinaryFloatingPoint & LosslessStringConvertible>(
    _ text: String
  ) -> Value? {
    Value(text).flatMap { isMeant($0, by: text) ? $0 : nil }
  }

  /// Whether a text that reads as an infinity, NaN or zero says so itself: numbers that are too large or
  /// too small read as these, too.
  private static func isMeant(_ value: some BinaryFloatingPoint, by text: String) -> Bool {
    if value.isFinite, value != 0 { return true }
    let letters = text.lowercased().drop { $0 == "-" || $0 == "+" }
    guard value == 0 else { return ["inf", "infinity", "nan"].contains(letters) }
    let isHex = letters.hasPrefix("0x")
    let digits = letters.prefix { $0 != (isHex ? "p" : "e") }
    return digits.allSatisfy { "0.x".contains($0) }
  }
}
