/// Results that arrived before anybody took them, up to a limit for the whole connection: then they are
/// dropped, and whoever asks is told.
final class KeptResults<Part> {
  private let budget: MemoryBudget
  private var parts: [(part: Part, size: Int)?] = []
  private var taken = 0
  private var size = 0
  /// Whether there was more than could be kept; then nothing is.
  private(set) var isOverflowed = false

  init(_ budget: MemoryBudget) { self.budget = budget }

  deinit { budget.giveBack(size) }

  /// Keeps a part that takes so many bytes of memory.
  func append(_ part: Part, size partSize: Int) {
    if isOverflowed { return }
    guard budget.take(partSize) else {
      isOverflowed = true
      parts = []
      budget.giveBack(size)
      size = 0
      return
    }
    size += partSize
    parts.append((part, partSize))
  }

  /// The next part, in order; `nil` after the last.
  func next() -> Part? {
    guard taken < parts.count, let next = parts[taken] else { return nil }
    parts[taken] = nil
    taken += 1
    size -= next.size
    budget.giveBack(next.size)
    return next.part
  }

  /// What whoever asks is told of an overflow.
  var overflow: PGError {
    .operation(
      "another operation began when there was more left to receive than is kept, which is "
        + "\(budget.limit >> 20) MiB: the rest was dropped",
      hint: "take all of a result before the next operation, or use another connection")
  }
}
