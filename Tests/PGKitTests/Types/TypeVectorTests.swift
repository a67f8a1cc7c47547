import Foundation
import Testing

@testable import PGKit

/// The cases of Vectors/types.json: what py-postgresql packs and unpacks, and what it should have.
struct TypeVectorTests {
  /// Operations that are tested elsewhere, or nowhere.
  static let outOfScope: Set<String> = StructuredVectorTests.operations.union([
    // Dates and times as floats, which no server since version 10 speaks.
    "float_time", "float_interval", "float_timetz",
  ])

  @Test("runs every case of a simple type")
  func all() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Vectors/types.json")
    let root = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    let cases = try #require(root["cases"] as? [[String: Any]])
    #expect(cases.count == root["count"] as? Int)
    var ran = 0
    for fields in cases {
      let vector = try TypeVector(fields)
      if Self.outOfScope.contains(vector.subject) { continue }
      try run(vector)
      ran += 1
    }
    #expect(ran == 288)
  }

  private func run(_ vector: TypeVector) throws {
    switch vector.subject {
    case "bool": try scalar(vector, .bool) { $0 as? Bool }
    case "int2": try scalar(vector, .int2) { ($0 as? NSNumber)?.int16Value }
    case "int4": try scalar(vector, .int4) { ($0 as? NSNumber)?.int32Value }
    case "int8": try scalar(vector, .int8) { ($0 as? NSNumber)?.int64Value }
    case "oid": try scalar(vector, .oid) { ($0 as? NSNumber)?.uint32Value }
    case "xid": try scalar(vector, .xid) { ($0 as? NSNumber)?.uint32Value }
    case "cid": try scalar(vector, .cid) { ($0 as? NSNumber)?.uint32Value }
    case "bytea": try scalar(vector, .bytea) { TypeVector.bytes($0) }
    case "jsonb": try scalar(vector, .jsonb) { ($0 as? String).map { PGJSON(text: $0) } }
    case "char": try character(vector)
    case "numeric": try malformedNumeric(vector)
    case "numeric_text": try numeric(vector)
    case "date": try date(vector)
    case "time": try time(vector)
    case "timetz": try timeTZ(vector)
    case "timestamp": try scalar(vector, .timestamp) { ($0 as? String).flatMap(PGTimestamp.init) }
    case "timestamptz": try timestampTZ(vector)
    case "interval": try interval(vector)
    case "time64", "timetz64", "interval64_raw": try rawTime(vector)
    case "bytea_escape_to_bytes", "bytes_to_bytea_escape": try escape(vector)
    default: Issue.record("no test for \(vector)")
    }
  }

  private func scalar<Value: PGCodable & Equatable>(
    _ vector: TypeVector, _ type: TypeOID, _ make: (Any?) -> Value?
  ) throws {
    let (value, wire) = try vector.sides()
    let expected = try #require(make(value), "\(vector)")
    #expect(hex(try Codec.encode(expected, as: type)) == hex(wire), "\(vector)")
    #expect(try Codec.decode(wire, as: type) == expected, "\(vector)")
  }

  /// The document speaks of "char" as a byte; its text form is told from the byte and back.
  private func character(_ vector: TypeVector) throws {
    let (value, wire) = try vector.sides()
    #expect(TypeVector.bytes(value) == wire)
    let text: String = try Codec.decode(wire, as: .char)
    #expect(text.utf8.elementsEqual(wire.filter { $0 != 0 }))
    #expect(try Codec.encode(text, as: .char) == wire)
  }

  /// Header and digits taken apart without looking at their meaning: none is a numeric, since the
  /// digits are not as many as the header says, or the sign is none.
  private func malformedNumeric(_ vector: TypeVector) throws {
    let (_, wire) = try vector.sides()
    #expect(throws: PGError.malformed(.numeric, "")) {
      try Codec.decode(wire, as: .numeric, PGNumeric.self)
    }
  }

  private func numeric(_ vector: TypeVector) throws {
    if vector.expected == nil {
      // NaN and the infinities could not be sent; they can.
      let value = try #require(PGNumeric(vector.input as? String ?? ""))
      let wire = try Codec.encode(value, as: .numeric)
      #expect(try Codec.decode(wire, as: .numeric) == value)
      return
    }
    let (text, wire) = try vector.sides()
    let value = try #require(PGNumeric(text as? String ?? ""), "\(vector)")
    let decoded: PGNumeric = try Codec.decode(wire, as: .numeric)
    #expect(decoded == value, "\(vector)")
    #expect(decoded.scale == value.scale, "\(vector)")
    // The other driver also sends zero groups outside the number; the server's form has none.
    #expect(try Codec.encode(value, as: .numeric) == Codec.encode(decoded, as: .numeric))
    #expect(try Codec.encode(value, as: .numeric).count <= wire.count, "\(vector)")
  }

  private func date(_ vector: TypeVector) throws {
    if vector.isError {
      let wire = try #require(TypeVector.bytes(vector.input))
      #expect(throws: PGError.malformed(.date, "")) {
        try Codec.decode(wire, as: .date, PGDate.self)
      }
      return
    }
    let (value, wire) = try vector.sides()
    if let days = (value as? NSNumber)?.int32Value {
      try stored(PGDate(daysSince2000: days), .date, wire)
      return
    }
    let text = try #require((value as? String)?.split(separator: "T").first)
    let decoded: PGDate = try Codec.decode(wire, as: .date)
    // Where the other driver's calendar ends it says its first or last day; the value is infinite.
    let isSentinel = vector.isUnpacking && !decoded.isFinite
    let sentinel: PGDate = text.hasPrefix("9999") ? .infinity : .minusInfinity
    let expected = isSentinel ? sentinel : PGDate(String(text))
    #expect(decoded == expected, "\(vector)")
    #expect(try Codec.encode(decoded, as: .date) == wire, "\(vector)")
  }

  /// A value made of its stored form: the other driver packs any, and what no server has is refused
  /// here, in both directions.
  private func stored<Value: PGCodable & Equatable>(
    _ value: Value, _ type: TypeOID, _ wire: [UInt8]
  ) throws {
    do throws(PGError) {
      #expect(try Codec.decode(wire, as: type, Value.self) == value)
    } catch {
      #expect(throws: PGError.parameter("")) { try Codec.encode(value, as: type) }
      return
    }
    #expect(try Codec.encode(value, as: type) == wire)
  }

  private func time(_ vector: TypeVector) throws {
    if vector.isError {
      // 24:00 raised; it is a time.
      let wire = try #require(TypeVector.bytes(vector.input))
      #expect(try Codec.decode(wire, as: .time, PGTime.self).description == "24:00:00")
      return
    }
    try scalar(vector, .time) { ($0 as? String).flatMap(PGTime.init) }
  }

  private func timeTZ(_ vector: TypeVector) throws {
    try scalar(vector, .timetz) { value -> PGTimeTZ? in
      guard let parts = (value as? String)?.split(separator: " "), parts.count == 5,
        let time = PGTime(String(parts[0])), let offset = Int(parts[3])
      else { return nil }
      return PGTimeTZ(time, secondsEast: offset)
    }
  }

  private func timestampTZ(_ vector: TypeVector) throws {
    guard let text = vector.input as? String, text.hasSuffix(" offset 4000s") else {
      return try scalar(vector, .timestamptz) { ($0 as? String).flatMap(PGTimestampTZ.init) }
    }
    // The other driver sends an offset of 3960 seconds; 01:06:40 is 4000.
    let value = try #require(
      PGTimestampTZ(text.replacingOccurrences(of: " offset 4000s", with: "+01:06:40")))
    let truncated: PGTimestampTZ = try Codec.decode(
      try #require(TypeVector.bytes(vector.expected)), as: .timestamptz)
    #expect(truncated.microsecondsSince2000 - value.microsecondsSince2000 == 40_000_000)
  }

  /// The host language's durations know days and seconds; what they fold, the vector's note or its
  /// wire form still tells.
  private func interval(_ vector: TypeVector) throws {
    let (value, wire) = try vector.sides()
    let decoded: PGInterval = try Codec.decode(wire, as: .interval)
    #expect(try Codec.encode(decoded, as: .interval) == wire)
    if vector.isUnpacking {
      let note = try #require(vector.note)
      #expect(
        "months=\(decoded.months) days=\(decoded.days) us=\(decoded.microseconds)" == note)
      return
    }
    let normalised = [
      "PT0S": PGInterval(), "P-100D": PGInterval(days: -100), "86400 s": PGInterval(days: 1),
      "-100 days -400 s": PGInterval(days: -101, microseconds: 86_000_000_000),
    ]
    #expect(decoded == normalised[value as? String ?? ""], "\(vector)")
  }

  /// (seconds, microseconds), with an offset or with days and months; not all are times of a day.
  private func rawTime(_ vector: TypeVector) throws {
    let (value, wire) = try vector.sides()
    let parts = try #require(value as? [Any])
    func integer(_ any: Any?) -> Int64 { (any as? NSNumber)?.int64Value ?? 0 }
    func microseconds(_ any: Any?) -> Int64 {
      let pair = any as? [Any]
      return integer(pair?.first) * 1_000_000 + integer(pair?.last)
    }
    switch vector.subject {
    case "time64":
      try stored(PGTime(microseconds: microseconds(parts)), .time, wire)
    case "timetz64":
      let time = PGTimeTZ(
        microseconds: microseconds(parts[0]), secondsWest: Int32(integer(parts[1])))
      try stored(time, .timetz, wire)
    default:
      let interval = PGInterval(
        months: Int32(integer(parts[0])), days: Int32(integer(parts[1])),
        microseconds: microseconds(parts[2]))
      #expect(try Codec.encode(interval, as: .interval) == wire)
      #expect(try Codec.decode(wire, as: .interval) == interval)
    }
  }

  private func escape(_ vector: TypeVector) throws {
    let isReading = vector.subject == "bytea_escape_to_bytes"
    let text = try #require((isReading ? vector.input : vector.expected) as? String)
    // The document's text is Latin-1: one character is one byte.
    let latin = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    if vector.isError {
      #expect(throws: PGError.malformed(.bytea, "")) {
        try Codec.decode(latin, as: .bytea, .text, [UInt8].self)
      }
      return
    }
    let wire = TypeVector.bytes(isReading ? vector.expected : vector.input)
    #expect(try Codec.decode(latin, as: .bytea, .text) == wire, "\(vector)")
  }
}
