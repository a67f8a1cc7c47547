extension Row: CustomStringConvertible {
  /// The values, as the server prints them: `(t, 2)`; one that is malformed is `?`.
  public var description: String {
    let texts = (0..<count).map { index in (try? self[index]).map { "\($0)" } ?? "?" }
    return "(\(texts.joined(separator: ", ")))"
  }
}

extension QueryResult: CustomStringConvertible {
  /// The rows: `[(t, 2), (f, 3)]`.
  public var description: String { "[\(map(\.description).joined(separator: ", "))]" }
}
