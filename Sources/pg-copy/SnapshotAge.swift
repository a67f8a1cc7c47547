internal import PGKit

/// Watches for how long the source's snapshot has been held: as long as it is, VACUUM there leaves every row
/// that dies.
struct SnapshotAge {
  private let start: ContinuousClock.Instant
  private var next: Duration

  /// - Parameter limit: When to say so for the first time; the next time is when it has doubled.
  init?(since start: ContinuousClock.Instant?, limit: Duration) {
    guard let start, limit > .zero else { return nil }
    (self.start, next) = (start, limit)
  }

  /// The age, if it is to be said now.
  mutating func toTell() -> Duration? {
    let age = ContinuousClock.now - start
    guard age >= next else { return nil }
    while next <= age { next = next * 2 }
    return age
  }
}
