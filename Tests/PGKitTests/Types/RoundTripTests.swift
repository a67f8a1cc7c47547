import PGTestCluster
import Testing

@testable import PGKit

/// Seeded random values of every type: out and in again, in both formats.
struct RoundTripTests {
  private static let rounds = 2000

  private func check<Value: PGCodable & Equatable>(
    _ types: TypeOID..., seed: UInt64 = 1, make: (inout SeededGenerator) throws -> Value
  ) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<Self.rounds {
      let value = try make(&random)
      for type in types {
        #expect(Value.accepts(type, .binary) && Value.accepts(type, .text))
        #expect(value.encodingFormat(for: type) != nil)
        for format in [PGFormat.binary, .text] {
          let bytes = try Codec.encode(value, as: type, format)
          #expect(try Codec.decode(bytes, as: type, format) == value, "\(type.name) \(format)")
        }
      }
    }
  }

  @Test("integers")
  func integers() throws {
    try check(.int2) { Int16.random(in: .min ... .max, using: &$0) }
    try check(.int4) { Int32.random(in: .min ... .max, using: &$0) }
    try check(.int8) { Int64.random(in: .min ... .max, using: &$0) >> Int64($0.next() % 64) }
    try check(.int8) { Int.random(in: .min ... .max, using: &$0) }
    try check(.oid, .xid, .cid) { UInt32.random(in: .min ... .max, using: &$0) }
    try check(.xid8) { UInt64.random(in: .min ... .max, using: &$0) >> ($0.next() % 64) }
  }

  @Test("floats of every bit pattern that is a number")
  func floats() throws {
    try check(.float8) { random in
      let value = Double(bitPattern: random.next())
      return value.isNaN ? 0.5 : value
    }
    try check(.float4) { random in
      let value = Float(bitPattern: UInt32(truncatingIfNeeded: random.next()))
      return value.isNaN ? 0.5 : value
    }
  }

  @Test("text of all lengths and scripts")
  func strings() throws {
    let letters = Array("aZ09 \\\"'éß世🐘\t\n\u{301}")
    try check(.text, .varchar, .bpchar, .name, .json, .jsonb) { random in
      let count = Int.random(in: 0..<40, using: &random)
      return String((0..<count).map { _ in letters.randomElement(using: &random) ?? "a" })
    }
  }

  @Test("bytes and uuids")
  func bytes() throws {
    try check(.bytea) { random in
      (0..<Int.random(in: 0..<50, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random)
      }
    }
    try check(.uuid) { PGUUID(high: $0.next(), low: $0.next()) }
  }

  @Test("numerics of random digits, points and exponents")
  func numerics() throws {
    try check(.numeric) { random in
      var text = Bool.random(using: &random) ? "-" : ""
      func digits() {
        for _ in 0..<Int.random(in: 1..<40, using: &random) {
          // Many zeros, so that whole groups of them occur everywhere.
          let digit = Int.random(in: -20...9, using: &random)
          text += String(max(0, digit))
        }
      }
      digits()
      if Bool.random(using: &random) {
        text += "."
        digits()
      }
      if Bool.random(using: &random) { text += "e\(Int.random(in: -60...60, using: &random))" }
      let value = try #require(PGNumeric(text))
      #expect(value.description == PGNumeric(value.description)?.description)
      return value
    }
  }

  @Test("dates and times of the whole range")
  func times() throws {
    try check(.date) { PGDate(daysSince2000: .random(in: -2_451_545..<2_145_031_949, using: &$0)) }
    try check(.time) { PGTime(microseconds: .random(in: 0...86_400_000_000, using: &$0)) }
    try check(.timetz) { random in
      PGTimeTZ(
        microseconds: .random(in: 0...86_400_000_000, using: &random),
        secondsWest: .random(in: -57_599...57_599, using: &random))
    }
    try check(.timestamp) {
      PGTimestamp(microsecondsSince2000: .random(in: Instant.finite, using: &$0))
    }
    try check(.timestamptz) {
      PGTimestampTZ(microsecondsSince2000: .random(in: Instant.finite, using: &$0))
    }
  }

  @Test("intervals, each field over its whole range")
  func intervals() throws {
    try check(.interval) { random in
      let shift = Int64(random.next() % 64)
      return PGInterval(
        months: .random(in: .min ... .max, using: &random) >> Int32(shift % 32),
        days: .random(in: .min ... .max, using: &random) >> Int32(shift % 32),
        microseconds: .random(in: .min ... .max, using: &random) >> shift)
    }
    let least = PGInterval(microseconds: .min)
    #expect(least.description == "-2562047788:00:54.775808")
    #expect(PGInterval(least.description) == least)
  }

  @Test(
    "floats half way to the next have one digit more, as the server prints them",
    arguments: [
      (102_649_136, "1.02649136e+08"), (810_869_630, "8.1086963e+08"),
      (16_777_218, "1.6777218e+07"),
      (48_741_248, "4.8741248e+07"),
    ])
  func halves(number: Int, text: String) throws {
    #expect(try Codec.text(Float(number), as: .float4) == text)
    #expect(Float(text) == Float(number))
  }
}
