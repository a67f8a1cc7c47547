/// Results that arrived before anybody took them, up to a limit for the whole connection: then they are
/// dropped, and whoever asks is told.
final class KeptResults<Part> {
  private let budget: MemoryBudget
  private var parts: [(part: Part, size: Int)?] = []
  private var taken = 0
  private var size = 0
  /// What comes behind the last part.
  private(set) var failure: PGError?

  init(_ budget: MemoryBudget) { self.budget = budget }

  deinit { budget.giveBack(size) }

  /// Keeps a part that takes so many bytes of memory.
  func append(_ part: Part, size partSize: Int) {
    guard failure == nil else { return }
    guard budget.take(partSize) else {
      drop()
      failure = .operation(
        "another operation began when there was more left to receive than is kept, which is "
          + "\(budget.limit >> 20) MiB: the rest was dropped",
        hint: "take all of a result before the next operation, or use another connection")
      return
    }
    size += partSize
    parts.append((part, partSize))
  }

  /// Nothing more comes, because of an error.
  func end(with error: PGError) {
    if failure == nil { failure = error }
  }

  /// Drops everything.
  func drop() {
    parts = []
    taken = 0
    budget.giveBack(size)
    size = 0
  }

  /// The next part, in order; `nil` after the last.
  ///
  /// - Throws: ``PGError``: what came after the last one.
  func next() throws(PGError) -> Part? {
    guard taken < parts.count, let next = parts[taken] else {
      if let failure { throw failure }
      return nil
    }
    parts[taken] = nil
    taken += 1
    size -= next.size
    budget.giveBack(next.size)
    return next.part
  }
}
