public import Foundation
public import PGKit

extension URL: PGEncodable, PGDecodable, PGArrayElement {
  /// Whether a parameter of `type` is a text.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    PGType.isText(type) ? absoluteString.encodingFormat(for: type) : nil
  }

  /// Writes the URL in full.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try absoluteString.encodeBinary(as: type, into: &writer)
  }

  /// Writes the URL in full.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try absoluteString.encodeText(as: type, into: &writer)
  }

  /// Accepts the types that are text.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { PGType.isText(type) }

  /// Reads a URL.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(checking: try String(binary: &reader, as: type))
  }

  /// Reads a URL.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(checking: try String(text: &reader, as: type))
  }

  /// Whether Foundation takes a text for a URL.
  private init(checking text: String) throws(PGError) {
    guard let url = URL(string: text, encodingInvalidCharacters: false) else {
      throw .column("the text is no URL")
    }
    self = url
  }
}

extension PGType {
  /// Whether the values are texts, or the server decides what they are.
  fileprivate static func isText(_ type: PGType) -> Bool {
    switch type.base {
    case .text, .varchar, .bpchar, .unspecified, .unknown: true
    default: false
    }
  }
}
