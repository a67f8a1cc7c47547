/// A point in monotonic time by which something must have happened, or none.
public struct Deadline: Sendable {
  /// The instant; `nil` waits forever.
  public let instant: ContinuousClock.Instant?

  /// No deadline.
  public static let never = Deadline(instant: nil)

  /// A deadline at `instant`.
  public init(instant: ContinuousClock.Instant?) { self.instant = instant }

  /// A deadline after `duration` from now.
  public static func after(_ duration: Duration) -> Deadline {
    Deadline(instant: ContinuousClock.now.advanced(by: duration))
  }

  /// Whether it has passed.
  public var hasPassed: Bool { instant.map { ContinuousClock.now >= $0 } ?? false }

  /// What remains, in the form that `poll` takes: milliseconds rounded up, −1 for ever.
  public var pollTimeout: Int32 {
    guard let instant else { return -1 }
    let remaining = ContinuousClock.now.duration(to: instant)
    if remaining <= .zero { return 0 }
    let (seconds, attoseconds) = remaining.components
    if seconds > 1_000_000 { return 1_000_000_000 }
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }

  /// The earlier of two deadlines.
  public func earlier(_ other: Deadline) -> Deadline {
    guard let mine = instant else { return other }
    guard let theirs = other.instant else { return self }
    return mine <= theirs ? self : other
  }
}
