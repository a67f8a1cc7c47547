/// A point in monotonic time by which something must have happened, or none.
public struct Deadline: Sendable {
  /// How far it is from ``origin``; `nil` waits forever.
  ///
  /// A duration, and not the instant itself: how large that is is known only when a program runs, and then
  /// everything that has a deadline is moved about by calls.
  private let distance: Duration?

  /// The instant that all deadlines of the process are counted from; any would do.
  private static let origin = ContinuousClock.now

  private init(distance: Duration?) { self.distance = distance }

  /// The instant; `nil` waits forever.
  public var instant: ContinuousClock.Instant? { distance.map { Self.origin.advanced(by: $0) } }

  /// No deadline.
  public static var never: Deadline { Deadline(distance: nil) }

  /// A deadline at `instant`.
  public init(instant: ContinuousClock.Instant?) {
    distance = instant.map { Self.origin.duration(to: $0) }
  }

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
    guard let mine = distance else { return other }
    guard let theirs = other.distance else { return self }
    return mine <= theirs ? self : other
  }
}
