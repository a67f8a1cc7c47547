import Testing

@testable import PGKit

/// Values that Swift can hold and the server cannot are refused before anything is sent.
struct ServerLimitTests {
  private func expectRefusal(
    _ value: some PGEncodable, as oid: TypeOID, _ formats: [PGFormat] = [.binary, .text],
    because reason: String = "cannot be sent", _ location: SourceLocation = #_sourceLocation
  ) {
    for format in formats {
      do throws(PGError) {
        _ = try Codec.encode(value, as: oid, format)
        Issue.record("\(oid.name) was written in \(format)", sourceLocation: location)
      } catch {
        #expect(error.code == .parameterError, sourceLocation: location)
        #expect(error.message.contains(reason), "\(error.message)", sourceLocation: location)
      }
    }
  }

  @Test("days, times, offsets and instants outside of what there is")
  func times() throws {
    expectRefusal(PGTime(microseconds: -1), as: .time, because: "PGTime")
    expectRefusal(PGTime(microseconds: 86_400_000_001), as: .time)
    expectRefusal(PGTimeTZ(microseconds: -1, secondsWest: 0), as: .timetz, because: "PGTimeTZ")
    expectRefusal(PGTimeTZ(microseconds: 0, secondsWest: 57_600), as: .timetz)
    expectRefusal(PGTimeTZ(microseconds: 0, secondsWest: .min), as: .timetz)
    expectRefusal(PGDate(daysSince2000: -2_451_546), as: .date, because: "PGDate")
    expectRefusal(PGDate(daysSince2000: 2_145_031_949), as: .date)
    for outside in [-211_813_488_000_000_001, 9_223_371_331_200_000_000 as Int64] {
      expectRefusal(
        PGTimestamp(microsecondsSince2000: outside), as: .timestamp, because: "PGTimestamp")
      expectRefusal(
        PGTimestampTZ(microsecondsSince2000: outside), as: .timestamptz, because: "timestamptz")
    }
    // The last ones that there are.
    for value in [PGTime(microseconds: 0), PGTime(microseconds: 86_400_000_000)] {
      #expect(throws: Never.self) { try Codec.encode(value, as: .time) }
    }
    for value in [PGDate.infinity, .minusInfinity, PGDate(daysSince2000: -2_451_545)] {
      #expect(throws: Never.self) { try Codec.encode(value, as: .date) }
    }
    // To be looked at, every value has a text.
    #expect(PGTime(microseconds: -1).description == "-00:00:00.000001")
    #expect(PGRecord(.time(PGTime(microseconds: -1))).description == "(-00:00:00.000001)")
    // Where the server is to find out the type, there is none to name.
    expectRefusal(
      PGTime(microseconds: -1), as: .unspecified, [.text], because: "PGTime cannot be sent:")
  }

  @Test("no time of day that no clock shows makes an instant, and none traps")
  func joining() {
    let day = PGDate(daysSince2000: 0)
    for time in [Int64.max, .min, -1, 86_400_000_001].map({ PGTime(microseconds: $0) }) {
      #expect(PGTimestamp(day, time) == nil)
      for seconds in [-1, 0, 1, -86_399, 86_399] {
        #expect(PGTimestampTZ(day, time, secondsEast: seconds) == nil)
      }
    }
    #expect(
      PGTimestamp(day, PGTime(microseconds: 86_400_000_000))?.microsecondsSince2000
        == 86_400_000_000)
  }

  @Test("infinite intervals, for servers that have none, and the finite ones in their place")
  func intervals() throws {
    let old = PGType(.interval, recordDepth: 0, serverMajor: 15)
    let new = PGType(.interval, recordDepth: 0, serverMajor: 17)
    let longest = "178956970 years 7 mons 2147483647 days 2562047788:00:54.775807"
    for (infinity, sign) in [(PGInterval.infinity, ""), (.minusInfinity, "-")] {
      for format in [PGFormat.binary, .text] {
        #expect(throws: PGError.parameter("")) { try Codec.encode(infinity, as: old, format) }
        let bytes = try Codec.encode(infinity, as: new, format)
        #expect(try Codec.decode(bytes, as: new, format, PGInterval.self) == infinity)
      }
      #expect(throws: PGError.parameter("")) { try Codec.encode("\(sign)infinity", as: old, .text) }
      #expect(try Codec.encode("\(sign)infinity", as: new, .text) == Array("\(sign)infinity".utf8))
      let bytes = try Codec.encode(infinity, as: new)
      let finite = try Codec.decode(bytes, as: old, .binary, PGInterval.self)
      #expect(finite.isFinite && finite != infinity && !finite.description.contains("infinity"))
      #expect(finite.months == infinity.months && finite.microseconds == infinity.microseconds)
      #expect(try Codec.encode(finite, as: old) == bytes)
      #expect(throws: PGError.parameter("")) { try Codec.encode(finite, as: new) }
    }
    let written = try #require(PGInterval(longest))
    #expect(written.isFinite && written.description == longest)
    let array = PGType(.intervalArray, recordDepth: 0, serverMajor: 15)
    #expect(throws: PGError.parameter("")) { try Codec.encode([PGInterval.infinity], as: array) }
  }

  @Test("floats too large or too small for their type")
  func floats() throws {
    for value in [1e-60, 1e-300, -1e-60, .leastNonzeroMagnitude, 1e39] {
      expectRefusal(value, as: .float4, [.binary], because: "float4")
      expectRefusal([value], as: .float4Array, [.binary], because: "float4")
    }
    #expect(hex(try Codec.encode(1e-45, as: .float4)) == "00000001")
    #expect(hex(try Codec.encode(-0.0, as: .float4)) == "80000000")
    for text in ["1e400", "-1e400", "1e-400", "0.0001e-330", "0x1p2000", "0x1p-2000"] {
      expectRefusal(text, as: .float8, [.text], because: "$1::text::float8")
      #expect(throws: PGError.column("")) { try Codec.parse(text, as: .float8, Double.self) }
    }
    for text in ["1e39", "1e-60"] { expectRefusal(text, as: .float4, [.text]) }
    for text in ["0", "-0", "0.00e-999", "inf", "-Infinity", "NaN", "5e-324", "0x0p0", "1e308"] {
      #expect(try Codec.text(text, as: .float8) == text)
    }
    #expect(PGPoint("(1e400,0)") == nil && PGPoint("(Infinity,0)")?.x == .infinity)
    #expect(PGCircle("<(0,0),1e400>") == nil)
  }

  @Test("ends of the server's own ranges in the wrong order")
  func ranges() throws {
    let reason = "lower end comes behind"
    expectRefusal(PGRange(5, 1), as: .int4range, because: reason)
    expectRefusal(PGRange(5, 1), as: .int8range, because: reason)
    expectRefusal(PGRange(PGNumeric(5), PGNumeric(1)), as: .numrange, because: reason)
    expectRefusal(PGRange(1.5, -2), as: .numrange, [.text], because: reason)
    expectRefusal(PGRange(PGNumeric.nan, PGNumeric(1)), as: .numrange, because: reason)
    expectRefusal(PGRange("2024-02-01", "2024-01-01"), as: .daterange, [.text], because: reason)
    expectRefusal(PGRange(PGDate.infinity, .minusInfinity), as: .daterange, because: reason)
    expectRefusal(PGRange(PGTimestamp.infinity, .minusInfinity), as: .tsrange, because: reason)
    expectRefusal(PGRange(PGTimestampTZ.infinity, .minusInfinity), as: .tstzrange, because: reason)
    expectRefusal([PGRange(1, 2), PGRange(5, 1)] as PGMultirange, as: .int4multirange)
    expectRefusal(PGValue.range(PGRange(.int64(5), .int32(1))), as: .int4range, because: reason)
    #expect(try Codec.text(PGRange(1, 1), as: .int4range) == "[1,1)")
    #expect(try Codec.text(PGRange(-1, 1), as: .int4range) == "[-1,1)")
    // The order of a range of somebody's own is its own.
    let own = PGType(99_999, TypeDefinition(name: "own", .range(PGType(.int4))))
    #expect(throws: Never.self) { try Codec.encode(PGRange(5, 1), as: own) }
    #expect(PGRange(5, 1).description == "[5,1)")
  }

  @Test("lexemes too long, twice, or with places that are none")
  func lexemes() {
    typealias Lexeme = PGTextSearchVector.Lexeme
    func vector(_ lexemes: Lexeme...) -> PGTextSearchVector { PGTextSearchVector(lexemes) }
    expectRefusal(vector(Lexeme(String(repeating: "x", count: 2048))), as: .tsvector)
    expectRefusal(vector(Lexeme("a\u{0}b")), as: .tsvector)
    expectRefusal(vector(Lexeme("a"), Lexeme("a")), as: .tsvector, because: "twice")
    for places in [[2, 1], [1, 1], [0], Array(1...257)] as [[UInt16]] {
      let positions = places.map { PGTextSearchVector.Position($0) }
      expectRefusal(vector(Lexeme("a", positions)), as: .tsvector, because: "places")
    }
    #expect(throws: Never.self) {
      try Codec.encode(vector(Lexeme(String(repeating: "x", count: 2047))), as: .tsvector)
    }
  }

  @Test("what the catalogues' vectors cannot have")
  func vectors() throws {
    for type in [TypeOID.int2vector, .oidvector] {
      expectRefusal([1, nil], as: type, because: "one dimension, and no NULLs")
      expectRefusal([[1], [2]], as: type, because: "Array<Array<Int>>")
      expectRefusal(PGArray([1, nil]), as: type, because: "one dimension")
      #expect([Int]().encodingFormat(for: type) == .text)
      #expect(PGArray<Int>([]).encodingFormat(for: type) == .text)
      #expect(try Codec.text([Int](), as: type) == "")
      #expect([1].encodingFormat(for: type) == .binary)
    }
  }

  @Test("a text of more than one byte for a \"char\"")
  func singleBytes() throws {
    for text in ["abc", "é", "\\400", "\\38x", "\u{0}", "\\+12"] {
      expectRefusal(text, as: .char, because: "SQL type char")
      expectRefusal([text], as: .charArray)
      #expect(text.encodingFormat(for: .char) == .binary)
    }
    for (text, byte) in [("", 0), ("a", 97), ("\\303", 0xC3), ("\\", 92)] as [(String, UInt8)] {
      #expect(try Codec.encode(text, as: .char) == [byte])
      #expect(try Codec.text(text, as: .char) == text)
    }
    // In text, older servers would take the backslash alone.
    let old = PGType(.char, recordDepth: 0, serverMajor: 15)
    #expect(throws: PGError.parameter("")) { try Codec.encode("\\303", as: old, .text) }
  }

  @Test("says what was given, and not what is inside of it")
  func givenTypes() {
    expectRefusal(PGJSON(text: "\u{0}"), as: .jsonb, because: "PGJSON")
    expectRefusal(PGXML(text: "\u{0}"), as: .xml, because: "PGXML")
    for value in [[[1], [2, 3]], [[], []]] as [[[Int]]] {
      expectRefusal(
        value, as: .int4Array, because: "Array<Array<Int>> cannot be sent as SQL type int4[]")
    }
    expectRefusal([[[[[[[1]]]]]]], as: .int4Array, because: "int4[]: an array has at most 6")
    let pair = PGType(
      99_999,
      TypeDefinition(
        name: "pair",
        .composite([PGAttribute("a", PGType(.int4)), PGAttribute("b", PGType(.int4))])))
    for format in [PGFormat.binary, .text] {
      let error = #expect(throws: PGError.self) { try Codec.encode(["c": 1], as: pair, format) }
      #expect(error?.message.contains("Dictionary<String, Int>") == true)
    }
    let place = #expect(throws: PGError.self) {
      try Codec.encode([[1, 2], [3, 70_000]], as: .int2Array)
    }
    #expect(place?.origin.creators.first?.label == "ELEMENT")
    #expect(place?.origin.creators.first?.summary == "[2][2] of type int2")
    let end = #expect(throws: PGError.self) {
      try Codec.encode(PGRange(1, Int.max), as: .int4range)
    }
    #expect(end?.origin.creators.first?.summary == "upper of type int4")
  }
}
