internal import PGCommandLine

extension JSONValue {
  /// The value as the text of a parameter; `nil` is NULL.
  ///
  /// A text goes into a parameter of a document as JSON, quotes included: as itself it would be read as
  /// another value, or as none.
  func parameterText(for kind: ParameterKind) -> String? {
    switch self {
    case .null: nil
    case .string(let text): kind == .document ? json : text
    case .array where kind.isArray: arrayText(ofDocuments: kind == .documents)
    default: json
    }
  }

  private func arrayText(ofDocuments: Bool) -> String {
    switch self {
    case .array(let values):
      "{" + values.map { $0.arrayText(ofDocuments: ofDocuments) }.joined(separator: ",") + "}"
    case .null: "NULL"
    case .string(let text): Self.quoted(ofDocuments ? json : text)
    default: Self.quoted(json)
    }
  }

  private static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

/// What a parameter is, as far as that decides how a value of JSON is written for it.
enum ParameterKind {
  case document, documents, array, other

  /// - Parameter name: The type's name in SQL.
  init(typeName name: String) {
    let name = name.lowercased()
    let isDocument = ["json", "jsonb"].contains(name.prefix { $0 != "[" })
    if name.hasSuffix("[]") {
      self = isDocument ? .documents : .array
    } else {
      self = isDocument ? .document : .other
    }
  }

  var isArray: Bool { self == .array || self == .documents }
}
