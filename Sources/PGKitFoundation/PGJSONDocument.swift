internal import Foundation
public import PGKit

/// A value of a `Codable` type that travels as a `json` or `jsonb` document: a column, a parameter, an
/// element of an array, or a member of a structure that a row is decoded as.
///
/// ```swift
/// struct Job: Decodable { let id: Int; let settings: PGJSONDocument<Settings> }
/// let job = try row.decode(as: Job.self).settings.value
/// ```
///
/// It is encoded and decoded by `JSONEncoder` and `JSONDecoder` as they are when they are made; for
/// others, there is `PGJSON.decode(as:with:)`.
public struct PGJSONDocument<Value: Codable & Sendable>: Sendable {
  /// The value.
  public var value: Value

  /// Makes a document of a value.
  public init(_ value: Value) { self.value = value }
}

extension PGJSONDocument: Equatable where Value: Equatable {}
extension PGJSONDocument: Hashable where Value: Hashable {}

extension PGJSONDocument: Codable {
  /// Reads the value itself.
  public init(from decoder: any Decoder) throws { value = try Value(from: decoder) }

  /// Writes the value itself.
  public func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}

extension PGJSONDocument: PGEncodable {
  /// Whether a parameter of `type` is a document.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    PGJSON(text: "").encodingFormat(for: type)
  }

  /// Writes the document.
  ///
  /// - Throws: `PGError` `--PIO` if the value cannot be encoded.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try document(for: type).encodeBinary(as: type, into: &writer)
  }

  /// Writes the document.
  ///
  /// - Throws: `PGError` `--PIO` if the value cannot be encoded.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try document(for: type).encodeText(as: type, into: &writer)
  }

  private func document(for type: PGType) throws(PGError) -> PGJSON {
    do { return try PGJSON(encoding: value) } catch {
      throw PGError(
        code: .parameterError,
        message: "a value of type \(Value.self) cannot be sent as SQL type \(type.name): \(error)",
        fault: .caller)
    }
  }
}

extension PGJSONDocument: PGDecodable, PGArrayElement {
  /// Accepts json and jsonb.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    PGJSON.accepts(type, format)
  }

  /// Reads a document.
  ///
  /// - Throws: `PGError` `--CIO` if the value cannot be decoded of it.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(PGJSON(binary: &reader, as: type), of: type)
  }

  /// Reads a document.
  ///
  /// - Throws: `PGError` `--CIO` if the value cannot be decoded of it.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(PGJSON(text: &reader, as: type), of: type)
  }

  private init(_ document: PGJSON, of type: PGType) throws(PGError) {
    do { value = try document.decode(as: Value.self) } catch let error as DecodingError {
      // Neither the path nor the reason holds the document's values.
      throw PGError(
        code: .columnError,
        message:
          "a value of SQL type \(type.name) cannot be read as \(Value.self): \(Self.reason(error))",
        fault: .caller)
    } catch {
      throw PGError(
        code: .columnError,
        message: "a value of SQL type \(type.name) cannot be read as \(Value.self)", fault: .caller)
    }
  }

  private static func reason(_ error: DecodingError) -> String {
    let (context, what) =
      switch error {
      case .keyNotFound(let key, let context): (context, "there is no \"\(key.stringValue)\"")
      case .typeMismatch(let type, let context): (context, "it is no \(type)")
      case .valueNotFound(let type, let context): (context, "it is null, and \(type) is wanted")
      case .dataCorrupted(let context): (context, "it is malformed")
      @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "it is not")
      }
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }
    return path.isEmpty ? what : "at \(path.joined()), \(what)"
  }
}
