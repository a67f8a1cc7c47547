import Foundation
import Testing

@testable import PGKit

extension StructuredVectorTests {
  /// A list of any depth as an array.
  private func make(_ value: Any?) throws -> PGArray<PGValue> {
    let list = try #require(value as? [Any])
    var writer = ByteWriter()
    let depth = Self.depth(of: list)
    let type = PGType(.int4Array)
    switch depth {
    case 1: try list.map(dynamic).encodeBinary(as: type, into: &writer)
    case 2:
      let rows = try list.map { try ($0 as? [Any] ?? []).map(dynamic) }
      try rows.encodeBinary(as: type, into: &writer)
    default:
      // What is no list where the others are: Swift's types do not let it be written.
      guard list.allSatisfy({ ($0 as? [Any])?.allSatisfy { $0 is [Any] } ?? false }) else {
        throw PGError.parameter("ragged")
      }
      let rows = try list.map { row in
        try (row as? [Any] ?? []).map { try (($0 as? [Any]) ?? []).map(dynamic) }
      }
      try rows.encodeBinary(as: type, into: &writer)
    }
    return try Codec.decode(writer.bytes, as: type, .binary)
  }

  private static func depth(of list: [Any]) -> Int {
    1 + (list.compactMap { ($0 as? [Any]).map(depth) }.max() ?? 0)
  }

  private func dynamic(_ value: Any) throws -> PGValue {
    if value is NSNull { return .null }
    return .int32(try #require(value as? NSNumber, "\(value)").int32Value)
  }

  private func expect(_ array: PGArray<PGValue>, _ expected: Any?) throws {
    let fields = try #require(expected as? [String: Any])
    let elements = try #require(fields["elements"] as? [Any]).map { value -> PGValue? in
      (value as? NSNumber).map { .int32($0.int32Value) }
    }
    #expect(array.elements == elements)
    #expect(array.dimensions.map(\.count) == fields["dimensions"] as? [Int])
    #expect(array.lowerBounds == fields["lower"] as? [Int])
    #expect(array.upperBounds == fields["upper"] as? [Int])
    #expect(array.dimensions.first?.count ?? 0 == fields["len"] as? Int)
  }

  func arrayOperation(_ vector: TypeVector) throws {
    let fields = vector.input as? [String: Any] ?? [:]
    switch vector.subject {
    case "array_new":
      if vector.isError {
        #expect(throws: PGError.parameter(""), "\(vector)") { try make(vector.input) }
      } else {
        try expect(make(vector.input), vector.expected)
      }
    case "array_new_tuples":
      let points = [PGPoint(1, 2), PGPoint(2, 3)]
      let wire = try Codec.encode(points, as: .pointArray)
      let array: PGArray<PGPoint> = try Codec.decode(wire, as: .pointArray)
      #expect(array.dimensions.map(\.count) == [2])
    case "array_from_elements":
      let elements = try (fields["elements"] as? [Any] ?? []).map { Optional(try dynamic($0)) }
      guard let lower = fields["lower"] as? [Int], let upper = fields["upper"] as? [Int] else {
        return try expect(PGArray(elements), vector.expected)
      }
      if vector.isError {
        #expect(throws: PGError.parameter("")) {
          try PGArray(elements, lowerBounds: lower, upperBounds: upper)
        }
      } else {
        try expect(PGArray(elements, lowerBounds: lower, upperBounds: upper), vector.expected)
      }
    default: try access(vector, fields)
    }
  }

  private func access(_ vector: TypeVector, _ fields: [String: Any]) throws {
    let array = try make(fields["array"])
    let address = fields["address"] as? [Int] ?? []
    let number = (vector.expected as? NSNumber).map { PGValue.int32($0.int32Value) }
    switch vector.subject {
    case "array_get_element":
      if vector.isError {
        let error = #expect(throws: PGError.self) { () throws in try array.element(at: address) }
        #expect(error?.code == .arraySubscriptError)
      } else {
        #expect(try array.element(at: address) == number)
      }
    case "array_sql_get_element": #expect(array.element(atSubscripts: address) == number)
    case "array_slice":
      let slice = try #require(fields["slice"] as? [Int])
      try expect(array.slice(slice[0]..<slice[1]), vector.expected)
    case "array_index":
      let index = try #require(fields["index"] as? Int)
      if index == 2 {
        #expect(throws: PGError.self) { () throws in try array.row(index) }
      } else if index == -1 {
        #expect(try array.row(index).elements == [.int32(3), .int32(4)])
      } else {
        try expect(array.row(index), vector.expected)
      }
    default: #expect(try array == make(fields["list"]))
    }
  }

  func row(_ vector: TypeVector) throws {
    let fields = try #require(vector.input as? [String: Any])
    let names = try #require(fields["names"] as? [String])
    let values = try #require(fields["values"] as? [Any]).map { value -> PGValue in
      if let text = value as? String { return .string(text) }
      return (value as? NSNumber).map { .int32($0.int32Value) } ?? .null
    }
    let row = PGRecord(columnNames: names, values: values)
    let upper: PGRecord.Function = { .string($0.description.uppercased()) }
    switch vector.subject {
    case "row_index_by_name": #expect(try row["col1"] == .string("two"))
    case "row_index_out_of_range":
      #expect(throws: PGError.column("")) { () throws in try row[3, as: PGValue.self] }
    case "row_get_name": #expect(row.get("col0") == .int32(1))
    case "row_get_missing": #expect(row.get("none") == .null)
    case "row_get_index_out_of_range": #expect(row.get(3) == .null)
    case "row_get_negative", "row_get_lowest_negative": #expect(row.get(-3) == .null)
    case "row_get_default": #expect(row.get("none", default: 7) == 7)
    case "row_keys", "row_column_names": #expect(row.columnNames == names)
    case "row_values": #expect(row.values == values && Array(row) == values)
    case "row_index_from_key": #expect(row.index(of: "col1") == 1)
    case "row_key_from_index": #expect(row.key(at: 1) == "col1")
    case "row_key_from_missing_index": #expect(row.key(at: 9) == nil)
    case "row_contains_value": #expect(row.contains(.string("two")))
    case "row_transform_keyword":
      #expect(try row.transform(["col1": upper]).values == [.int32(1), .string("TWO"), .null])
    case "row_transform_both":
      let text: PGRecord.Function = { .string($0.description) }
      #expect(
        try row.transform([text]).transform(["col1": upper]).values
          == [.string("1"), .string("TWO"), .null])
    case "row_transform_too_many":
      #expect(throws: PGError.column("")) { try row.transform([nil, nil, nil, upper]) }
    case "row_from_mapping":
      // As a parameter: what is absent is NULL.
      let type = PGType(
        16_400, TypeDefinition(name: "r", .composite(names.map { PGAttribute($0, PGType(.int4)) })))
      let wire = try Codec.encode(["col1": 5] as [String: PGValue], as: type)
      let record: PGRecord = try Codec.decode(wire, as: type, .binary)
      #expect(record.values == [.null, .int32(5), .null])
    case "row_duplicate_names_items":
      #expect(row.items().map(\.name) == ["a", "b", "a"])
      #expect(row.items().map(\.value) == [.int32(1), .int32(2), .int32(3)])
    default: Issue.record("no test for \(vector)")
    }
  }
}
