import Foundation
import Testing

@testable import PGKit

/// The cases of Vectors/types.json whose values have parts: arrays, composites, geometry, bits, networks.
struct StructuredVectorTests {
  static let operations: Set<String> = rowOperations.union([
    "varbit", "point", "circle", "record", "array", "hstore", "box", "lseg", "tid", "path",
    "polygon", "inet", "cidr", "macaddr", "hstore_pairs",
    "varbit_new", "varbit_concat", "varbit_repeat", "varbit_getbit", "box_new", "circle_new",
    "point_text", "lseg_props", "point_distance", "point_mul", "array_new", "array_new_tuples",
    "array_from_elements", "array_get_element", "array_sql_get_element", "array_slice",
    "array_index", "array_equals_list", "oid_to_sql_name",
  ])

  static let rowOperations: Set<String> = [
    "row_index_by_name", "row_index_out_of_range", "row_get_name", "row_get_missing",
    "row_get_index_out_of_range", "row_get_negative", "row_get_lowest_negative", "row_get_default",
    "row_keys", "row_values", "row_column_names", "row_index_from_key", "row_key_from_index",
    "row_key_from_missing_index", "row_contains_value", "row_transform_keyword",
    "row_transform_both", "row_transform_too_many", "row_from_mapping",
    "row_duplicate_names_items",
  ]

  static func cases() throws -> [TypeVector] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Vectors/types.json")
    let root = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    return try #require(root["cases"] as? [[String: Any]]).map { try TypeVector($0) }
  }

  @Test("runs every case of a type with parts")
  func all() throws {
    var ran = 0
    for vector in try Self.cases() where Self.operations.contains(vector.subject) {
      try run(vector)
      ran += 1
    }
    #expect(ran == 170)
  }

  private func run(_ vector: TypeVector) throws {
    switch vector.subject {
    case "array": try array(vector)
    case "record": try record(vector)
    case "hstore", "hstore_pairs": try hstore(vector)
    case "varbit": try bits(vector)
    case "tid":
      let parts = numbers(vector.input).map { UInt32($0) }
      let place = PGTID(block: parts[0], offset: UInt16(parts[1]))
      try roundTrip(place, .tid, try vector.sides().wire)
    case "inet", "cidr": try network(vector)
    case "macaddr": try macAddress(vector)
    case "oid_to_sql_name": try names(vector)
    case let subject where subject.hasPrefix("row_"): try row(vector)
    case let subject where subject.hasPrefix("array_"): try arrayOperation(vector)
    case let subject where subject.hasPrefix("varbit_"): try bitOperation(vector)
    default: try geometry(vector)
    }
  }

  private func roundTrip<Value: PGCodable & Equatable>(
    _ value: Value, _ type: TypeOID, _ wire: [UInt8]
  ) throws {
    #expect(hex(try Codec.encode(value, as: type)) == hex(wire), "\(value)")
    #expect(try Codec.decode(wire, as: type) == value)
  }

  private func numbers(_ value: Any?) -> [Double] {
    (value as? [Any] ?? []).flatMap { part -> [Double] in
      (part as? NSNumber).map { [$0.doubleValue] } ?? numbers(part)
    }
  }

  // MARK: Geometry

  private func geometry(_ vector: TypeVector) throws {
    let given = numbers(vector.isUnpacking ? vector.expected : vector.input)
    switch vector.subject {
    case "point": try roundTrip(PGPoint(given[0], given[1]), .point, try vector.sides().wire)
    case "lseg":
      try roundTrip(
        PGSegment(PGPoint(given[0], given[1]), PGPoint(given[2], given[3])), .lseg,
        try vector.sides().wire)
    case "circle":
      let wire = try vector.sides().wire
      let circle: PGCircle = try Codec.decode(wire, as: .circle)
      #expect([circle.center.x, circle.center.y, circle.radius] == given)
      #expect(try Codec.encode(circle, as: .circle) == wire)
    case "box":
      // Corners as they came are put in order.
      let box: PGBox = try Codec.decode(try vector.sides().wire, as: .box)
      #expect(box == PGBox(PGPoint(given[0], given[1]), PGPoint(given[2], given[3])))
      #expect(try Codec.decode(Codec.encode(box, as: .box), as: .box) == box)
    case "path", "polygon":
      // Not what a server sends: a count of numbers, not of points, and none says open or closed.
      let type: TypeOID = vector.subject == "path" ? .path : .polygon
      let wire = try vector.sides().wire
      #expect(throws: PGError.malformed(type, "")) {
        try Codec.decode(wire, as: type, .binary, PGValue.self)
      }
    case "box_new":
      let box = PGBox(PGPoint(given[0], given[1]), PGPoint(given[2], given[3]))
      #expect([box.high.x, box.high.y, box.low.x, box.low.y] == numbers(vector.expected))
    case "circle_new":
      #expect(throws: PGError.parameter("")) {
        try PGCircle(PGPoint(given[0], given[1]), radius: given[2])
      }
    default: try geometricProperty(vector, given)
    }
  }

  private func geometricProperty(_ vector: TypeVector, _ given: [Double]) throws {
    switch vector.subject {
    // The server prints no decimals where there are none.
    case "point_text": #expect(PGPoint(given[0], given[1]).description == "(1,2.5)")
    case "lseg_props":
      let line = PGSegment(PGPoint(given[0], given[1]), PGPoint(given[2], given[3]))
      #expect(
        [line.length, line.slope, line.center.x, line.center.y]
          == numbers(vector.expected).prefix(4).map { $0 })
      #expect(!line.isVertical && !line.isHorizontal)
    case "point_distance":
      #expect(
        PGPoint(given[0], given[1]).distance(to: PGPoint(given[2], given[3]))
          == (vector.expected as? NSNumber)?.doubleValue)
    case "point_mul":
      let product = PGPoint(given[0], given[1]) * PGPoint(given[2], given[3])
      #expect([product.x, product.y] == numbers(vector.expected))
    default: Issue.record("no test for \(vector)")
    }
  }

  // MARK: Bits, networks, names

  private func bits(_ vector: TypeVector) throws {
    let (value, wire) = try vector.sides()
    let parts = try #require(value as? [Any])
    let count = try #require(parts[0] as? Int)
    let bytes = try #require(TypeVector.bytes(parts[1]))
    guard bytes.count == (count + 7) / 8 else {
      // More bytes than the bits need: no server sends that.
      #expect(throws: PGError.malformed(.varbit, "")) {
        try Codec.decode(wire, as: .varbit, PGBits.self)
      }
      return
    }
    let bits = try PGBits(bytes, count: count)
    // What stands behind the last bit does not count.
    try roundTrip(bits, .varbit, Array(wire.prefix(4)) + bits.bytes)
    #expect(try Codec.decode(wire, as: .varbit) == bits)
  }

  private func bitOperation(_ vector: TypeVector) throws {
    func bits(_ text: Any?) throws -> PGBits { try #require(PGBits(text as? String ?? "x")) }
    let parts = vector.input as? [Any] ?? []
    switch vector.subject {
    case "varbit_new":
      if let bytes = TypeVector.bytes(vector.input) {
        let value = try PGBits(bytes)
        #expect([value.count, value.description] as [AnyHashable] == [8, "10100101"])
        return
      }
      let value = try bits(vector.input)
      let expected = try #require(vector.expected as? [Any])
      #expect(value.count == expected[0] as? Int)
      #expect(value.bytes == TypeVector.bytes(expected[1]))
      #expect(value.description == expected[2] as? String)
    case "varbit_concat":
      #expect(
        (try bits(parts[0]) + bits(parts[1])).description == vector.expected as? String)
    case "varbit_repeat":
      let times = try #require(parts[1] as? Int)
      #expect(try bits(parts[0]).repeated(times).description == vector.expected as? String)
    default: #expect(try bits(parts[0])[0])
    }
  }

  private func network(_ vector: TypeVector) throws {
    let type: TypeOID = vector.subject == "inet" ? .inet : .cidr
    if vector.isUnpacking {
      let value: PGInet = try Codec.decode(try #require(TypeVector.bytes(vector.input)), as: type)
      let prefix = value.prefix == 24 ? "/24" : ""
      #expect(value.description == (vector.expected as? String ?? "") + prefix)
      return
    }
    let value = try #require(PGInet(vector.input as? String ?? ""))
    let wire = try #require(TypeVector.bytes(vector.expected))
    #expect(hex(try Codec.encode(value, as: type)) == hex(wire))
    let decoded: PGInet = try Codec.decode(wire, as: type)
    #expect(decoded.description == vector.input as? String)
  }

  private func macAddress(_ vector: TypeVector) throws {
    if vector.isError {
      #expect(PGMACAddress(vector.input as? String ?? "") == nil)
      return
    }
    let (text, wire) = try vector.sides()
    let value: PGMACAddress = try Codec.decode(wire, as: .macaddr)
    #expect(try Codec.encode(value, as: .macaddr) == wire)
    // The server always shows colons.
    let plain = (text as? String ?? "").filter { $0.isHexDigit }
    #expect(value.description.filter { $0.isHexDigit } == plain)
    #expect(PGMACAddress(text as? String ?? "") == value)
  }

  private func names(_ vector: TypeVector) throws {
    let expected = try #require(vector.expected as? [String: String])
    for (oid, name) in expected where oid != "1043" {
      #expect(TypeOID(rawValue: try #require(UInt32(oid))).sqlName == name)
    }
    // The document's own example says VARCHAR.
    #expect(TypeOID.varchar.sqlName == "VARCHAR")
  }

  private func hstore(_ vector: TypeVector) throws {
    let type = PGType(16_400, TypeDefinition(name: "public.hstore", .extensionType(.hstore)))
    if vector.isError {
      let wire = try #require(TypeVector.bytes(vector.input))
      #expect(throws: PGError.malformed(type, "")) {
        try Codec.decode(wire, as: type, .binary, [String: String?].self)
      }
      return
    }
    let (value, wire) = try vector.sides()
    var pairs: [String: String?] = [:]
    for (key, value) in value as? [String: Any] ?? [:] { pairs[key] = .some(value as? String) }
    for pair in value as? [[Any]] ?? [] {
      pairs[pair[0] as? String ?? ""] = .some(pair[1] as? String)
    }
    #expect(try Codec.decode(wire, as: type, .binary) == pairs)
    let encoded = try Codec.encode(pairs, as: type)
    #expect(encoded.count == wire.count)
    #expect(try Codec.decode(encoded, as: type, .binary) == pairs)
  }

  // MARK: Composites and arrays on the wire

  private func record(_ vector: TypeVector) throws {
    let (value, wire) = try vector.sides()
    let fields = try #require(value as? [[Any]])
    let attributes = try fields.enumerated().map { index, field in
      let oid = try #require((field[0] as? NSNumber)?.uint32Value)
      return PGAttribute("a\(index)", PGType(TypeOID(rawValue: oid)))
    }
    let type = PGType(16_400, TypeDefinition(name: "r", .composite(attributes)))
    let values = fields.map { field -> PGValue in
      TypeVector.bytes(field[1]).map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null
    }
    #expect(hex(try Codec.encode(PGRecord(values: values), as: type)) == hex(wire))
    if values.allSatisfy(\.isNull) {
      #expect(try Codec.decode(wire, as: type, .binary, PGRecord.self).values == values)
    }
  }

  private func array(_ vector: TypeVector) throws {
    let (value, wire) = try vector.sides()
    let parts = try #require(value as? [Any])
    let element = try #require((parts[1] as? NSNumber)?.uint32Value)
    let type = PGType(
      16_400,
      TypeDefinition(
        name: "a", .array(PGType(TypeOID(rawValue: element)), delimiter: UInt8(ascii: ","))))
    let elements = (parts[4] as? [Any] ?? []).map { part in
      TypeVector.bytes(part).map { String(decoding: $0, as: UTF8.self) }
    }
    let dimensions = try zip(numbers(parts[2]), numbers(parts[3])).filter { $0.0 > 0 }.map {
      try PGArrayDimension(count: Int($0), lowerBound: Int($1))
    }
    let array = try PGArray(elements, dimensions: dimensions)
    var expected = wire
    // Whether there is a NULL is said as it is; a dimension with nothing along it is none.
    expected[7] = elements.contains(nil) ? 1 : 0
    if elements.isEmpty { expected = [0, 0, 0, 0] + expected[4..<12] }
    #expect(hex(try Codec.encode(array, as: type)) == hex(expected))
    if elements.allSatisfy({ $0 == nil }) {
      let decoded: PGArray<PGValue> = try Codec.decode(wire, as: type, .binary)
      #expect(decoded.dimensions == dimensions && decoded.elements.count == elements.count)
    }
  }
}
