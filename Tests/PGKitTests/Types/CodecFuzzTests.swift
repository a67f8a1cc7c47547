import Foundation
import PGTestCluster
import Testing

@testable import PGKit

/// Values of every codec with bytes changed, lost, added and moved: an error or another value, never a
/// trap.
///
/// `make fuzz` does the same under the address sanitizer, with a limit on single allocations, for
/// as many seconds for each codec as `PGKIT_FUZZ_SECONDS` says.
struct CodecFuzzTests {
  /// A type by its name, with what makes it.
  struct Target: CustomStringConvertible, Sendable {
    let type: PGType
    var description: String { type.name }
  }

  static let targets: [Target] = {
    let part = composite(
      "part", [("a", PGType(.int4)), ("b", PGType(.text)), ("c", PGType(.numericArray))])
    let parts = PGType(
      90_002, TypeDefinition(name: "part[]", .array(part, delimiter: UInt8(ascii: ","))))
    let scalars: [TypeOID] = [
      .bool, .int2, .int4, .int8, .oid, .xid8, .float4, .float8, .text, .bpchar, .name, .char,
      .bytea, .numeric, .money, .uuid, .json, .jsonb, .jsonpath, .xml, .date, .time, .timetz,
      .timestamp, .timestamptz, .interval, .inet, .cidr, .macaddr, .macaddr8, .bit, .varbit, .point,
      .line, .lseg, .box, .path, .polygon, .circle, .tsvector, .tsquery, .pgLsn, .tid, .pgSnapshot,
    ]
    let containers: [TypeOID] = [
      .int4Array, .textArray, .byteaArray, .numericArray, .boxArray, .int2vector, .oidvector,
      .int4range, .numrange, .tstzrange, .int8multirange, .nummultirange, .int4rangeArray,
      .recordArray, .record,
    ]
    let own = [
      part, parts,
      composite("whole", [("p", part), ("ps", parts), ("r", PGType(.int4range))]),
      PGType(90_004, TypeDefinition(name: "public.hstore", .extensionType(.hstore))),
      PGType(90_005, TypeDefinition(name: "public.vector", .extensionType(.vector))),
    ]
    return (scalars + containers).map { Target(type: PGType($0)) } + own.map(Target.init)
  }()

  private static func composite(_ name: String, _ attributes: [(String, PGType)]) -> PGType {
    PGType(
      90_001, TypeDefinition(name: name, .composite(attributes.map { PGAttribute($0.0, $0.1) })))
  }

  private static let seconds =
    ProcessInfo.processInfo.environment["PGKIT_FUZZ_SECONDS"].flatMap { Double($0) }

  @Test("gives an error or a value, never a trap", arguments: targets)
  func mutations(target: Target) throws {
    var random = SeededGenerator(seed: 0xF0_22 + UInt64(target.type.oid.rawValue))
    let seeds = seeds(of: target.type)
    try #require(!seeds.isEmpty)
    let end = Self.seconds.map { Date().addingTimeInterval($0) }
    var tries = 0
    var values = 0
    while end.map({ Date() < $0 }) ?? (tries < 600) {
      let (format, seed) = seeds[random.number(below: seeds.count)]
      let bytes = Self.mutate(seed, &random, isText: format == .text)
      if survives(bytes, target.type, format) { values += 1 }
      tries += 1
    }
    #expect(tries > 500)
    if Self.seconds != nil { print("\(target): \(tries) tries, \(values) of them values") }
  }

  @Test("refuses each length that is off by one, and each truncation", arguments: targets)
  func lengths(target: Target) throws {
    for (format, seed) in seeds(of: target.type) where format == .binary {
      for length in 0..<min(seed.count, 64) {
        let isValue = survives(Array(seed.prefix(length)), target.type, .binary)
        #expect(!isValue || Self.isElastic(target.type), "\(hex(seed)) cut to \(length)")
      }
      #expect(!survives(seed + [0], target.type, .binary) || Self.isElastic(target.type))
      // Every place that might be a length or a count, a little and a lot too large.
      for place in stride(from: 0, to: min(seed.count, 96) - 3, by: 1) {
        let there = seed[place..<place + 4].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        for number: UInt32 in [
          0, 1, there &+ 1, there &- 1, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x00FF_FFFF,
        ] {
          var bytes = seed
          bytes.replaceSubrange(
            place..<place + 4, with: withUnsafeBytes(of: number.bigEndian) { Array($0) })
          _ = survives(bytes, target.type, .binary)
        }
      }
    }
  }

  /// Whether a part of a value, or a longer one, is a value too.
  private static func isElastic(_ type: PGType) -> Bool {
    switch type.base {
    case .text, .bpchar, .name, .bytea, .json, .jsonb, .jsonpath, .xml, .char: true
    default: false
    }
  }

  @Test("records within records, deeper than the stack is")
  func depth() {
    let count = 200_000
    // One field of type record, whose length is what is left.
    var bytes: [UInt8] = []
    for level in 0..<count {
      let rest = Int32((count - level - 1) * 12)
      for number in [1, 2249, rest] {
        bytes += withUnsafeBytes(of: Int32(number).bigEndian) { Array($0) }
      }
    }
    #expect(throws: PGError.malformed(.record, "")) {
      try Codec.decode(bytes, as: .record, .binary, PGValue.self)
    }
  }

  /// Values of the type, in both formats.
  private func seeds(of type: PGType) -> [(PGFormat, [UInt8])] {
    var generator = ValueGenerator(seed: UInt64(type.oid.rawValue))
    var seeds: [(PGFormat, [UInt8])] = []
    if type.base == .record || type.base == .recordArray {
      // (1, (NULL, "a")), as the server sends it; and an array of it.
      let inner: [UInt8] = [
        0, 0, 0, 2, 0, 0, 0, 23, 255, 255, 255, 255, 0, 0, 0, 25, 0, 0, 0, 1, 97,
      ]
      let record: [UInt8] =
        [0, 0, 0, 2, 0, 0, 0, 23, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 8, 201, 0, 0, 0, 21] + inner
      let header: [UInt8] = [
        0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 8, 201, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 45,
      ]
      return [(.binary, type.base == .record ? record : header + record)]
    }
    for _ in 0..<24 {
      guard let value = generator.next(of: type) else { return seeds }
      for format in [PGFormat.binary, .text] {
        if let bytes = try? Codec.encode(value, as: type, format) { seeds.append((format, bytes)) }
      }
    }
    return seeds
  }

  /// Whether the bytes are a value; one that is can be shown, written and read again.
  private func survives(_ bytes: [UInt8], _ type: PGType, _ format: PGFormat) -> Bool {
    guard let value = try? Codec.decode(bytes, as: type, format, PGValue.self) else { return false }
    _ = try? value.json()
    if let written = try? Codec.encode(value, as: type, format) {
      let again = try? Codec.decode(written, as: type, format, PGValue.self)
      let shown = again.map { "\($0)" }
      #expect(shown == "\(value)", "\(type) \(format) \(hex(bytes))")
    }
    return true
  }

  private static func mutate(
    _ seed: [UInt8], _ random: inout SeededGenerator, isText: Bool
  ) -> [UInt8] {
    var bytes = seed
    let letters = Array("{}[]()\",\\:;=<>/-+. 0129NULeEt'&|!*\u{0}".utf8)
    for _ in 0...random.number(below: 4) {
      let place = random.number(below: bytes.count + 1)
      let byte =
        isText ? letters[random.number(below: letters.count)] : UInt8(random.number(below: 256))
      switch random.number(below: 6) {
      case 0 where place < bytes.count: bytes[place] = byte
      case 1 where place < bytes.count: bytes[place] ^= 1 << random.number(below: 8)
      case 2 where place < bytes.count: bytes.remove(at: place)
      case 3: bytes.insert(byte, at: place)
      case 4: bytes = Array(bytes.prefix(place))
      case 5:
        let start = random.number(below: place + 1)
        bytes.insert(contentsOf: bytes[start..<place], at: place)
      default: break
      }
    }
    return bytes
  }
}
