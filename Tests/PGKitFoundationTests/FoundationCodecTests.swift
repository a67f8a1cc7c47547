import Foundation
import PGKit
import PGKitFoundation
import Testing

struct FoundationCodecTests {
  private func encode(
    _ value: some PGEncodable, as oid: TypeOID, _ format: PGFormat = .binary
  ) throws -> [UInt8] {
    let type = PGType(oid)
    var writer = ByteWriter()
    switch format {
    case .binary: try value.encodeBinary(as: type, into: &writer)
    case .text: try value.encodeText(as: type, into: &writer)
    }
    return writer.bytes
  }

  private func decode<Value: PGDecodable>(
    _ bytes: [UInt8], as oid: TypeOID, _ format: PGFormat = .binary
  ) throws(PGError) -> Value {
    let type = PGType(oid)
    return try ByteReader.over(bytes) { reader throws(PGError) -> Value in
      switch format {
      case .binary: try Value(binary: &reader, as: type)
      case .text: try Value(text: &reader, as: type)
      }
    }
  }

  private func roundTrips<Value: PGEncodable & PGDecodable & Equatable>(
    _ value: Value, as type: TypeOID
  ) throws {
    #expect(value.encodingFormat(for: PGType(type)) == .binary)
    #expect(value.encodingFormat(for: PGType(.bool)) == nil)
    #expect(Value.accepts(PGType(type), .binary) && Value.accepts(PGType(type), .text))
    for format in [PGFormat.binary, .text] {
      let again: Value = try decode(try encode(value, as: type, format), as: type, format)
      #expect(again == value)
    }
  }

  @Test("a Date is a timestamptz to the microsecond")
  func dates() throws {
    #expect(
      try encode(Date(timeIntervalSince1970: 0), as: .timestamptz, .text)
        == Array("1970-01-01 00:00:00+00".utf8))
    #expect(
      try encode(Date(timeIntervalSince1970: 1_709_208_000.000001), as: .timestamptz, .text)
        == Array("2024-02-29 12:00:00.000001+00".utf8))
    for seconds in [0, -1, 0.5, -0.5, 1_709_208_000.123456, -62_135_769_600] {
      try roundTrips(Date(timeIntervalSince1970: seconds), as: .timestamptz)
    }
    try roundTrips(Date.distantPast, as: .timestamptz)
    try roundTrips(Date.distantFuture, as: .timestamptz)
  }

  @Test("a Date beyond the server's calendar is refused, and so is an infinity")
  func dateBounds() throws {
    for seconds in [1e13, -1e13, 9.3e12, .infinity, -.infinity, .nan, 9_224_318_016_000] {
      #expect(throws: PGError.parameter("")) {
        try PGTimestampTZ(Date(timeIntervalSince1970: seconds))
      }
    }
    #expect(throws: PGError.column("")) { try Date(PGTimestampTZ.infinity) }
    #expect(throws: PGError.column("")) { try Date(PGTimestampTZ.minusInfinity) }
    let last = PGTimestampTZ(microsecondsSince2000: 9_223_371_331_199_000_000)
    #expect(try PGTimestampTZ(Date(last)) == last)
    // Between the Dates of that time there are two milliseconds.
    for distance in [1, 500, 976, 977, 1000, 2000, 999_999] as [Int64] {
      let late = PGTimestampTZ(microsecondsSince2000: 9_223_371_331_200_000_000 - distance)
      let again = try PGTimestampTZ(Date(late)).microsecondsSince2000
      #expect((again - late.microsecondsSince2000).magnitude <= 2000)
    }
  }

  @Test("a UUID is a uuid")
  func uuids() throws {
    let uuid = try #require(UUID(uuidString: "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"))
    #expect(PGUUID(uuid).description == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
    try roundTrips(uuid, as: .uuid)
    for _ in 0..<100 { try roundTrips(UUID(), as: .uuid) }
  }

  @Test("Data is bytea")
  func data() throws {
    try roundTrips(Data(), as: .bytea)
    try roundTrips(Data((0...255).map { UInt8($0) }), as: .bytea)
    try roundTrips(Data([1, 2, 3, 4]).dropFirst(2), as: .bytea)
  }

  @Test("a Decimal is a numeric, exactly")
  func decimals() throws {
    for text in [
      "0", "1", "-1", "0.1", "-12345.6789", "99999999999999999999999999999999999999",
      "0.00000000000000000000000000000000000001", "1e100", "-1e-100",
    ] {
      let value = try #require(Decimal(string: text))
      try roundTrips(value, as: .numeric)
      #expect(PGNumeric(value) == PGNumeric(text), "\(text)")
    }
    #expect(try Decimal(PGNumeric.nan).isNaN)
    #expect(PGNumeric(Decimal.nan).isNaN)
  }

  @Test("a numeric that a Decimal would round is refused")
  func decimalLimits() throws {
    for text in [
      "1" + String(repeating: "0", count: 60) + "1", "1e200", "1e-200",
      "0." + String(repeating: "123", count: 20), "Infinity", "-Infinity",
    ] {
      let numeric = try #require(PGNumeric(text))
      #expect(throws: PGError.column(""), "\(text)") { try Decimal(numeric) }
    }
  }

  @Test("a URL is a text, and a text that is none is an error")
  func urls() throws {
    let url = try #require(URL(string: "https://example.org/a?b=c#d"))
    for type in [TypeOID.text, .varchar] {
      let bytes = try encode(url, as: type)
      #expect(try decode(bytes, as: type) == url)
    }
    #expect(url.encodingFormat(for: PGType(.int4)) == nil && !URL.accepts(PGType(.int4), .text))
    #expect(throws: PGError.self) { try decode(Array("http://[".utf8), as: .text) as URL }
  }

  @Test("documents of structures, and structures of documents")
  func documents() throws {
    struct Point: Codable, Equatable {
      let x: Int
      let label: String?
    }
    let document = try PGJSON(encoding: Point(x: 1, label: "é"))
    #expect(try document.decode(as: Point.self) == Point(x: 1, label: "é"))
    #expect(throws: (any Error).self) { try PGJSON(text: "{}").decode(as: Point.self) }
  }

  @Test("arrays of Foundation's types")
  func arrays() throws {
    let uuids = [UUID(), UUID()]
    #expect(try decode(try encode(uuids, as: .uuidArray), as: .uuidArray) == uuids)
    let data: [Data?] = [Data([1, 2]), nil]
    #expect(try decode(try encode(data, as: .byteaArray), as: .byteaArray) == data)
  }
}
