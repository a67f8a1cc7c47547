import PGTestCluster
import Testing

@testable import PGKit

/// The shortcut by which rows are read gives what the whole way gives, or leaves it to that.
@Suite("Values of built-in types, at a look") struct BuiltinValueTests {
  private static let types: [TypeOID] = [
    .int2, .int4, .int8, .oid, .xid8, .float4, .float8, .bool, .text, .varchar, .name, .jsonb,
    .timestamptz, .timestamp, .numeric, .unspecified, 16_999,
  ]

  /// Bytes of any length, of which many are values: small numbers, text, numerics.
  private func bytes(_ random: inout SeededGenerator) -> [UInt8] {
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      let count = [0, 1, 2, 4, 8, 9].randomElement(using: &random) ?? 0
      return (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    case 1:
      let count = Int.random(in: 0...9, using: &random)
      return (0..<count).map { _ in [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0 }
    case 2: return Array("grüße".utf8.prefix(Int.random(in: 0...7, using: &random)))
    default: return numeric(&random)
    }
  }

  private func numeric(_ random: inout SeededGenerator) -> [UInt8] {
    let count = Int.random(in: 0...10, using: &random)
    var groups: [UInt16] = (0..<count).map { _ in
      [0, 1, 10, 100, 1000, 1230, 1234, 5500, 9999].randomElement(using: &random) ?? 0
    }
    if count > 1, Int.random(in: 0..<20, using: &random) == 0 { groups[1] = 10_000 }
    let said = UInt16(clamping: count + (Int.random(in: 0..<20, using: &random) == 0 ? 1 : 0))
    var writer = ByteWriter()
    writer.writeInteger(said)
    writer.writeInteger(Int16.random(in: -4...4, using: &random))
    writer.writeInteger(
      [0, 0x4000, 0, 0x4000, 0xC000, 1].randomElement(using: &random) ?? 0 as UInt16)
    writer.writeInteger(UInt16.random(in: 0...14, using: &random))
    for group in groups { writer.writeInteger(group) }
    return writer.bytes
  }

  /// How many of the values the shortcut gave.
  private func compare<Value: PGColumnValue>(
    _: Value.Type, _ same: (Value, Value) -> Bool
  ) throws -> Int {
    var random = SeededGenerator(seed: 7)
    var found = 0
    for _ in 0..<3000 {
      let bytes = bytes(&random)
      for type in Self.types {
        try ByteReader.over(bytes) { (reader) throws(PGError) in
          guard let value = Value.decodeBuiltin(reader, as: type) else { return }
          found += 1
          let whole = try Value.decodeColumn(reader, type: PGType(type), format: .binary)
          if !same(value, whole) { Issue.record("\(type.name) of \(bytes)") }
        }
      }
    }
    return found
  }

  @Test("whatever the bytes are, it is the value that they are on the whole way")
  func same() throws {
    #expect(try compare(Int.self, ==) > 100)
    #expect(try compare(Int32.self, ==) > 100)
    #expect(try compare(Int16.self, ==) > 100)
    #expect(try compare(Int8.self, ==) == 0)
    #expect(try compare(UInt32.self, ==) == 0)
    #expect(try compare(Double.self) { $0.bitPattern == $1.bitPattern } > 100)
    #expect(try compare(Float.self) { $0.bitPattern == $1.bitPattern } > 100)
    #expect(try compare(Bool.self, ==) > 10)
    #expect(try compare(String.self, ==) > 100)
    #expect(try compare(PGTimestampTZ.self, ==) > 100)
    #expect(
      try compare(PGNumeric.self) { $0 == $1 && $0.scale == $1.scale && "\($0)" == "\($1)" } > 30)
    #expect(try compare(Int?.self, ==) > 100)
  }

  @Test(
    "a value outside of the calendar, of wrong digits or of half a letter is left to the whole way")
  func refused() {
    func isLeft<Value: PGColumnValue>(_: Value.Type, _ bytes: [UInt8], _ type: TypeOID) -> Bool {
      bytes.withUnsafeBytes { Value.decodeBuiltin(ByteReader($0), as: type) == nil }
    }
    #expect(
      isLeft(PGTimestampTZ.self, [0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE], .timestamptz))
    #expect(isLeft(PGNumeric.self, [0, 1, 0, 0, 0, 0, 0, 0, 0x27, 0x10], .numeric))
    #expect(isLeft(PGNumeric.self, [0, 2, 0, 0, 0, 0, 0, 0, 0, 1], .numeric))
    #expect(isLeft(String.self, [0xC3], .text))
    #expect(isLeft(Bool.self, [2], .bool))
    #expect(isLeft(Int.self, [0, 0, 1], .int4))
  }
}
