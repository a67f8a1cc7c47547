import PGTestCluster
import Testing

@testable import PGKit

/// Bytes that no server sends give an error, never a trap and never a long wait.
struct AdversityTests {
  /// Types whose binary form may have any length, so that a part of it is a value too.
  private static let elastic: Set<String> = [
    "text", "varchar", "bpchar", "name", "json", "jsonb", "xml", "bytea",
  ]

  @Test("refuses every truncation and trailing garbage", arguments: ServerSample.all)
  func lengths(sample: ServerSample) throws {
    guard !Self.elastic.contains(sample.typeName) else { return }
    let (type, swift) = try #require(Codec.swiftType(of: sample.typeName))
    for length in 0..<min(sample.binary.count, 200) {
      expectRefusal(Array(sample.binary.prefix(length)), type, swift)
    }
    expectRefusal(sample.binary + [0], type, swift)
    expectRefusal(sample.binary + [0, 0], type, swift)
  }

  private func expectRefusal<Value: PGCodable>(
    _ bytes: [UInt8], _ type: TypeOID, _: Value.Type
  ) {
    #expect(throws: PGError.malformed(type, "")) {
      try Codec.decode(bytes, as: type, Value.self)
    }
  }

  @Test(
    "refuses numeric headers that cannot be true",
    arguments: [
      // More digits than bytes, fewer digits than bytes, the largest count.
      "0002000000000000_0001", "0000000000000000_0001",
      "ffff000000000000_0001", "7fff000000000000",
      // A sign that is none, a scale beyond the limit, a digit above 9999.
      "0001000000010000_0001", "0001000080000000_0001", "0001000000004000_0001",
      "0001000000000000_2710", "0001000000000000_ffff",
      // NaN and the infinities with digits.
      "00010000c0000000_0001", "00010000d0000020_0001", "00010000f0000020_0001",
    ])
  func numericHeaders(text: String) throws {
    let bytes = try bytes(text.filter { $0 != "_" })
    #expect(throws: PGError.malformed(.numeric, "")) {
      try Codec.decode(bytes, as: .numeric, PGNumeric.self)
    }
  }

  @Test("reads a numeric of zeros only, however many, as zero")
  func numericZeros() throws {
    let header: [UInt8] = [0xFF, 0xFF, 0x80, 0x00, 0x00, 0x00, 0x00, 0x02]
    let zeros = header + [UInt8](repeating: 0, count: 65535 * 2)
    let value: PGNumeric = try Codec.decode(zeros, as: .numeric)
    #expect(value == .zero)
    #expect(value.description == "0.00")
  }

  @Test("refuses days, times and offsets that the server cannot have")
  func calendarBounds() throws {
    for (type, digits) in [
      (TypeOID.date, "ffda97a6"), (.date, "7fda97cd"), (.time, "ffffffffffffffff"),
      (.time, "000000141dd76001"), (.timetz, "000000141dd7600100000000"),
      (.timetz, "00000000000000000000e100"), (.timetz, "0000000000000000ffff1f00"),
      (.timetz, "000000000000000080000000"), (.timestamp, "fd0f7cc1411f9fff"),
      (.timestamptz, "7fffff5bb3b2a000"), (.timestamptz, "8000000000000001"),
    ] {
      #expect(throws: PGError.malformed(type, "")) {
        try Codec.decode(try bytes(digits), as: type, PGValue.self)
      }
    }
  }

  @Test("refuses an unknown version of jsonb, and bools that are neither")
  func versions() {
    #expect(throws: PGError.malformed(.jsonb, "")) {
      try Codec.decode([2, 0x7B, 0x7D], as: .jsonb, PGJSON.self)
    }
    #expect(throws: PGError.malformed(.jsonb, "")) {
      try Codec.decode([], as: .jsonb, String.self)
    }
    #expect(throws: PGError.malformed(.bool, "")) { try Codec.decode([2], as: .bool, Bool.self) }
  }

  @Test("refuses text that is not UTF-8, in both formats, and never repairs it")
  func invalidUTF8() {
    for bytes: [UInt8] in [
      [0xFF], [0x61, 0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x9F],
    ] {
      for type in [TypeOID.text, .varchar, .bpchar, .name, .json, .xml, .unknown] {
        for format in [PGFormat.binary, .text] {
          #expect(throws: PGError.malformed(type, "")) {
            try Codec.decode(bytes, as: type, format, String.self)
          }
          #expect(throws: PGError.malformed(type, "")) {
            try Codec.decode(bytes, as: type, format, PGValue.self)
          }
        }
      }
    }
  }

  @Test("survives arbitrary bytes in every codec and format")
  func arbitraryBytes() throws {
    var random = SeededGenerator(seed: 0x5EED)
    let names = Set(ServerSample.all.map(\.typeName)).sorted()
    for name in names {
      let (type, _) = try #require(Codec.swiftType(of: name))
      for _ in 0..<2000 {
        let count = Int.random(in: 0...24, using: &random)
        let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        for format in [PGFormat.binary, .text] {
          guard let value = try? Codec.decode(bytes, as: type, format, PGValue.self) else {
            continue
          }
          _ = "\(value)"
        }
      }
    }
  }

  @Test("survives samples with one byte changed, as text and as binary", arguments: [1, 2, 3])
  func mutations(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for sample in ServerSample.all {
      let (type, _) = try #require(Codec.swiftType(of: sample.typeName))
      for (format, original) in [
        (PGFormat.binary, sample.binary), (.text, Array(sample.text.utf8)),
      ] {
        guard !original.isEmpty else { continue }
        for _ in 0..<8 {
          var bytes = original
          let index = Int.random(in: 0..<min(bytes.count, 64), using: &random)
          let characters = Array("0123456789-+:. eETPBCdmy/infNa\u{0}".utf8)
          bytes[index] =
            format == .text
            ? characters.randomElement(using: &random) ?? 0
            : UInt8.random(in: 0...255, using: &random)
          guard let value = try? Codec.decode(bytes, as: type, format, PGValue.self) else {
            continue
          }
          _ = "\(value)"
        }
      }
    }
  }
}
