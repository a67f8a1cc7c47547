/// Results that arrived before anybody took them, up to a limit: then they are all dropped, and whoever
/// asks is told.
struct KeptRows<Part> {
  private let limit: Int
  private var parts: [Part] = []
  private var taken = 0
  private var byteCount = 0
  private var failure: PGError?

  init(limit: Int) { self.limit = limit }

  /// Keeps a part.
  mutating func append(_ part: Part, bytes: Int) {
    guard failure == nil else { return }
    byteCount += bytes
    parts.append(part)
    if byteCount > limit {
      parts = []
      failure = .operation(
        "another operation began, and there were more than \(limit >> 20) MiB left to receive: "
          + "the rest was dropped",
        hint: "take all of a result before the next operation, or use another connection")
    }
  }

  /// Nothing more comes, because of an error.
  mutating func end(with error: PGError) {
    if failure == nil { failure = error }
  }

  /// The next part, in order; `nil` after the last.
  ///
  /// - Throws: ``PGError``: what came after the last one.
  mutating func next() throws(PGError) -> Part? {
    guard taken < parts.count else {
      if let failure { throw failure }
      return nil
    }
    defer { taken += 1 }
    return parts[taken]
  }
}
