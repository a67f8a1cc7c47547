public import Foundation
public import PGKit

extension PGJSON {
  /// Makes a document of a value that is `Encodable`.
  ///
  /// - Throws: What the encoder throws.
  public init(encoding value: some Encodable, with encoder: JSONEncoder = JSONEncoder()) throws {
    self.init(text: String(decoding: try encoder.encode(value), as: UTF8.self))
  }

  /// Makes a `Decodable` value of the document.
  ///
  /// - Throws: What the decoder throws.
  public func decode<Value: Decodable>(
    as type: Value.Type, with decoder: JSONDecoder = JSONDecoder()
  ) throws -> Value {
    try decoder.decode(type, from: Data(text.utf8))
  }
}
