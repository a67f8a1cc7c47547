/// Keeps the speed of data below a limit.
struct Pace {
  /// How much may come at once after a pause.
  private static let burst = Duration.milliseconds(100)
  private let bytesPerSecond: Double
  /// When what came so far would have come at the highest speed.
  private var due = ContinuousClock.now

  init(bytesPerSecond: Int) { self.bytesPerSecond = Double(max(bytesPerSecond, 1)) }

  /// Notes that bytes came.
  mutating func note(_ bytes: Int) {
    // What was not used while nothing came is lost, but for a moment's worth.
    due = max(due, ContinuousClock.now - Self.burst)
    due += .nanoseconds(Int64((Double(bytes) / bytesPerSecond * 1e9).rounded()))
  }

  /// How long to wait before more may come; `nil` if it may now.
  var pause: Duration? {
    let wait = ContinuousClock.now.duration(to: due)
    return wait > .zero ? wait : nil
  }
}
