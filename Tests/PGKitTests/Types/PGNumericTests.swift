import Testing

@testable import PGKit

struct PGNumericTests {
  private func numeric(_ text: String) throws -> PGNumeric { try #require(PGNumeric(text)) }

  @Test("shows as many decimals as were written")
  func scale() throws {
    for (text, shown) in [
      ("1.50", "1.50"), ("-0.00", "0.00"), ("1e3", "1000"), ("1.5e3", "1500"),
      ("1.2345e2", "123.45"),
      ("1e-5", "0.00001"), ("12e-2", "0.12"), ("+7", "7"), ("007.10", "7.10"), (".5", "0.5"),
      ("5.", "5"), ("0e-14", "0.00000000000000"), ("infinity", "Infinity"), ("nan", "NaN"),
    ] { #expect(try numeric(text).description == shown) }
  }

  @Test("refuses what is no number, or none that the server holds")
  func malformedText() {
    for text in [
      "", "-", ".", "e5", "1e", "1e+", "1,5", "1 ", " 1", "1e9999999999", "1e131072", "1e-16384",
      "--1", "1.2.3", "-NaN", "0x10",
    ] { #expect(PGNumeric(text) == nil, "\(text)") }
    #expect(PGNumeric("1e131071") != nil)
    #expect(PGNumeric("1e-16383") != nil)
  }

  @Test("equals and orders as SQL does")
  func order() throws {
    #expect(try numeric("1.0") == numeric("1.000"))
    #expect(try numeric("1.0").hashValue == numeric("1.000").hashValue)
    #expect(PGNumeric.nan == PGNumeric.nan)
    let ascending = try [
      "-Infinity", "-10000", "-9999.5", "-1", "-0.0001", "0", "0.00009", "0.0001", "0.5", "1",
      "1.0001", "9999", "10000", "10000.1", "1e20", "Infinity", "NaN",
    ].map(numeric)
    #expect(ascending.shuffled().sorted() == ascending)
    for (left, right) in zip(ascending, ascending.dropFirst()) {
      #expect(left < right && !(right < left))
    }
  }

  @Test("converts to integers exactly or not at all")
  func integers() throws {
    #expect(Int(exactly: try numeric("9223372036854775807")) == .max)
    #expect(Int(exactly: try numeric("-9223372036854775808")) == .min)
    #expect(Int(exactly: try numeric("9223372036854775808")) == nil)
    #expect(UInt64(exactly: try numeric("18446744073709551615")) == .max)
    #expect(UInt64(exactly: try numeric("18446744073709551616")) == nil)
    #expect(UInt64(exactly: try numeric("-1")) == nil)
    #expect(Int8(exactly: try numeric("-128.000")) == -128)
    #expect(Int8(exactly: try numeric("128")) == nil)
    #expect(Int(exactly: try numeric("10000000000000000")) == 10_000_000_000_000_000)
    #expect(Int(exactly: try numeric("1e131071")) == nil)
    #expect(Int(exactly: try numeric("0.00")) == 0)
    for text in ["1.5", "0.0001", "1e-100", "NaN", "Infinity", "-Infinity"] {
      #expect(Int(exactly: try numeric(text)) == nil)
    }
  }

  @Test("takes integers of every width")
  func fromIntegers() {
    #expect(PGNumeric(Int.min).description == "-9223372036854775808")
    #expect(PGNumeric(UInt64.max).description == "18446744073709551615")
    #expect(PGNumeric(Int8.min).description == "-128")
    #expect(PGNumeric(UInt8(200)).description == "200")
    #expect(PGNumeric(0 as Int8) == .zero)
    #expect(PGNumeric(Int128.min).description == "\(Int128.min)")
    #expect(PGNumeric(UInt128.max).description == "\(UInt128.max)")
    #expect(PGNumeric(10000).groups == [1])
  }

  @Test("converts to the nearest Double, and back from the shortest decimal")
  func doubles() throws {
    for text in [
      "0.1", "123.456", "9007199254740993", "1e22", "1.7976931348623157e308", "5e-324", "-2.5",
      "0.30000000000000004", "2.2250738585072014e-308",
    ] { #expect(Double(try numeric(text)) == Double(text)) }
    #expect(Double(try numeric("1e400")) == .infinity)
    #expect(Double(try numeric("-1e400")) == -.infinity)
    #expect(Double(try numeric("1e-400")) == 0)
    #expect(Double(PGNumeric.nan).isNaN)
    #expect(PGNumeric(0.1).description == "0.1")
    #expect(PGNumeric(-1e300).isFinite && PGNumeric(Double.leastNonzeroMagnitude).isFinite)
    #expect(PGNumeric(-Double.infinity) == .minusInfinity)
    // Just above halfway between two Doubles, by a digit far behind.
    let halfway = "9007199254740993." + String(repeating: "0", count: 2000) + "1"
    #expect(Double(try numeric(halfway)) == 9007199254740994)
  }

  @Test("drops digits that the scale hides, as the server does")
  func hiddenDigits() throws {
    // 1.2345 with scale 2, 0.0001 with scale 3, 12.5 with scale 0.
    for (digits, shown) in [
      ("0002000000000002_00010929", "1.23"), ("0001ffff00000003_0001", "0.000"),
      ("0002000000000000_000c1388", "12"), ("0001fff000000000_0001", "0"),
      ("0001800000000000_0001", "0"),
    ] {
      let value: PGNumeric = try Codec.decode(bytes(digits.filter { $0 != "_" }), as: .numeric)
      #expect(value.description == shown)
      #expect(value == PGNumeric(shown))
    }
  }

  @Test("a hundred thousand digits cost what their length says")
  func large() throws {
    let digits = String(repeating: "1234567890", count: 13_000)
    let clock = ContinuousClock()
    let elapsed = try clock.measure {
      let value = try numeric(digits + "." + String(repeating: "7", count: 16_383))
      let bytes = try Codec.encode(value, as: .numeric)
      let decoded: PGNumeric = try Codec.decode(bytes, as: .numeric)
      #expect(decoded == value)
      #expect(decoded.description == value.description)
      #expect(Double(decoded) == .infinity)
    }
    #expect(elapsed < .seconds(2))
  }

  @Test("reads integer columns too")
  func integerColumns() throws {
    #expect(try Codec.decode(bytes("fffffff6"), as: .int4, PGNumeric.self) == PGNumeric(-10))
    #expect(try Codec.parse("12", as: .int8, PGNumeric.self) == PGNumeric(12))
  }

  @Test("becomes integers of more than 64 bits, exactly or not at all")
  func wideIntegers() throws {
    for text in [
      "170141183460469231731687303715884105727", "-170141183460469231731687303715884105728",
      "-9223372036854775809", "18446744073709551616", "1e38", "0", "-1", "0.00", "5.0",
    ] {
      let numeric = try #require(PGNumeric(text))
      let value = try #require(Int128(exactly: numeric), "\(text)")
      #expect(PGNumeric(value) == numeric)
    }
    for text in [
      "170141183460469231731687303715884105728", "-170141183460469231731687303715884105729", "1.5",
      "1e39", "1e131071", "0.1", "NaN", "Infinity", "-Infinity",
    ] {
      #expect(Int128(exactly: try #require(PGNumeric(text))) == nil, "\(text)")
    }
    let most = try #require(PGNumeric("340282366920938463463374607431768211455"))
    #expect(UInt128(exactly: most) == .max)
    #expect(UInt128(exactly: try #require(PGNumeric("18446744073709551616"))) == 1 << 64)
    #expect(UInt128(exactly: try #require(PGNumeric("-1"))) == nil)
  }
}
