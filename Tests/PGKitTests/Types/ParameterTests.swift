import Testing

@testable import PGKit

/// Which Swift value becomes a parameter of which type, in which format, and what is refused.
struct ParameterTests {
  @Test("asks for binary where there is a binary form, for text where the server decides")
  func formats() {
    for type in [TypeOID.int2, .int4, .int8, .oid, .float4, .float8, .numeric, .xid8] {
      #expect(1.encodingFormat(for: type) == .binary)
    }
    for type in [TypeOID.unspecified, .unknown, 16385] {
      #expect(1.encodingFormat(for: type) == .text)
      #expect(true.encodingFormat(for: type) == .text)
      #expect(PGDate.infinity.encodingFormat(for: type) == .text)
      #expect([UInt8(1)].encodingFormat(for: type) == .text)
      #expect(PGNumeric.nan.encodingFormat(for: type) == .text)
      #expect(PGJSON(text: "1").encodingFormat(for: type) == .text)
    }
    #expect(1.5.encodingFormat(for: .numeric) == .text)
    #expect("x".encodingFormat(for: .text) == .binary)
    #expect("x".encodingFormat(for: .int4) == .text)
    #expect("x".encodingFormat(for: .point) == .text)
  }

  @Test("a text for a type that has a Swift type must be the text of a value")
  func texts() throws {
    let good: [(TypeOID, String)] = [
      (.int4, "42"), (.numeric, "85000"), (.numeric, "1e3"), (.numeric, "NaN"), (.bool, "true"),
      (.float8, "-Infinity"), (.date, "1962-11-23"), (.date, "infinity"), (.time, "04:05:06.789"),
      (.timestamptz, "2026-11-21 10:00:00+00"), (.interval, "1 day 02:00:00"),
      (.uuid, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
      // The server alone knows these.
      (.point, "anything"), (.unspecified, "anything"), (16385, "anything"), (.json, "anything"),
    ]
    for (type, text) in good { #expect(try Codec.text(text, as: type) == text) }
    let bad: [(TypeOID, String)] = [
      (.date, "yesterday"), (.int4, "4x"), (.numeric, ""), (.bool, "perhaps"), (.uuid, "no-uuid"),
      (.timestamptz, "now"), (.interval, "soon"), (.float8, "1,5"),
    ]
    for (type, text) in bad {
      let error = try #require(throws: PGError.self) { try Codec.text(text, as: type) }
      #expect(error.code == .parameterError)
      #expect(error.message.contains("$1::text::\(type.name)"))
      #expect(text.isEmpty || !error.message.contains(text))
    }
  }

  @Test("refuses a value of another kind")
  func mismatches() {
    #expect(1.encodingFormat(for: .text) == nil)
    #expect(1.encodingFormat(for: .bool) == nil)
    #expect(1.encodingFormat(for: .timestamptz) == nil)
    #expect(1.5.encodingFormat(for: .int8) == nil)
    #expect(true.encodingFormat(for: .int4) == nil)
    #expect(PGDate.infinity.encodingFormat(for: .timestamp) == nil)
    #expect(PGTimestamp.infinity.encodingFormat(for: .timestamptz) == nil)
    #expect([UInt8]().encodingFormat(for: .text) == nil)
    #expect(PGUUID(high: 0, low: 0).encodingFormat(for: .text) == nil)
  }

  @Test("writes an Int in the width of each number, exactly")
  func integerWidths() throws {
    let expected: [(TypeOID, String)] = [
      (.int2, "03e8"), (.int4, "000003e8"), (.int8, "00000000000003e8"), (.oid, "000003e8"),
      (.xid8, "00000000000003e8"), (.float4, "447a0000"), (.float8, "408f400000000000"),
      (.numeric, "000100000000000003e8"),
    ]
    for (type, digits) in expected {
      #expect(hex(try Codec.encode(1000, as: type)) == digits)
      #expect(hex(try Codec.encode(Int16(1000), as: type)) == digits)
      #expect(hex(try Codec.encode(UInt64(1000), as: type)) == digits)
    }
    #expect(try Codec.text(Int.min, as: .unspecified) == "-9223372036854775808")
    #expect(try Codec.text(UInt64.max, as: .unspecified) == "18446744073709551615")
  }

  @Test("refuses a number out of range, naming both types and never the value")
  func ranges() {
    func refusal(_ value: some PGEncodable, _ type: TypeOID) -> PGError? {
      do throws(PGError) {
        _ = try Codec.encode(value, as: type)
        return nil
      } catch { return error }
    }
    for (value, type) in [
      (32768, TypeOID.int2), (-32769, .int2), (2_147_483_648, .int4), (-2_147_483_649, .int4),
      (-1, .oid), (4_294_967_296, .oid), (-1, .xid8), (9_007_199_254_740_993, .float8),
      (16_777_217, .float4),
    ] {
      let error = refusal(value, type)
      #expect(error?.code == .parameterError, "\(type.name)")
      #expect(error?.message.contains("Int") == true)
      #expect(error?.message.contains(type.name) == true)
      #expect(error?.message.contains("\(value)") == false)
    }
    #expect(refusal(UInt64.max, .int8)?.code == .parameterError)
    #expect(refusal(1e300, .float4)?.code == .parameterError)
    #expect(refusal(Double.infinity, .float4) == nil)
    #expect(refusal("secret", .char)?.message.contains("secret") == false)
  }

  @Test("refuses a zero character, which would end the text early in some encodings")
  func zeroCharacter() {
    for format in [PGFormat.binary, .text] {
      #expect(throws: PGError.parameter("")) {
        try Codec.encode("a\u{0}; drop", as: .text, format)
      }
      #expect(throws: PGError.parameter("")) {
        try Codec.encode(PGJSON(text: "\u{0}"), as: .jsonb, format)
      }
    }
  }

  @Test("a list of parameters can mix types and nil")
  func mixedLists() {
    let missing: Int? = nil
    let list: [(any PGEncodable)?] = [1, "two", 3.5, true, nil, missing, PGValue.null]
    #expect(list.map { $0?.isNull ?? true } == [false, false, false, false, true, true, true])
  }
}
