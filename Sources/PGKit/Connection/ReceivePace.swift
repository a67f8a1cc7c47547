/// When to let bytes come together before they are read.
///
/// A server sends rows 8 KiB at a time. A client that is faster wakes up for each of these, reads it, and
/// finds nothing more: half of what a large result costs it are these calls and the way to sleep and back.
/// So once a result has shown that it is large, a read that found little is followed by a pause in which
/// more can come. The pause is as long as it takes to fill a read, so that the server never waits, and short
/// enough that nobody notices the one at the end.
struct ReceivePace {
  /// What must have come of an answer before there are pauses.
  static let warmUp = 256 << 10
  /// What must have come again after a pause in which nothing came.
  static let warmUpAgain = 64 << 10
  /// What is worth a read.
  static let enough = 32 << 10
  /// In nanoseconds.
  static let shortest = 50_000
  static let longest = 2_000_000

  /// What has come since something was sent, or since nothing came in a pause.
  private var streamed = 0
  private var pause = shortest
  /// Whether a pause came before the read that is told next.
  private var hasPaused = false
  /// Whether the last read found little.
  private var isShort = false

  /// Something was sent: what comes is a new answer.
  mutating func sent() { self = ReceivePace() }

  /// Whether the last read took all there was, so that the next would be in vain before a wait.
  var isDrained: Bool { isShort && streamed < Self.warmUp }

  /// How long to pause before the next read, in nanoseconds; 0 is not at all.
  mutating func pauseBeforeReading() -> Int {
    guard isShort, streamed >= Self.warmUp else { return 0 }
    hasPaused = true
    return pause
  }

  /// So much was read into so much room.
  mutating func received(_ count: Int, of room: Int) {
    // What the next read brings is counted from its own pause.
    defer { hasPaused = false }
    streamed = min(streamed &+ count, Self.warmUp)
    isShort = count < room && count < Self.enough
    guard hasPaused else { return }
    if count == room {
      pause = max(pause / 2, Self.shortest)
    } else if count < Self.enough {
      pause = min(pause * 2, Self.longest)
    }
  }

  /// There was nothing to read.
  mutating func foundNothing() {
    // The server is slower than that: then each row is handed over when it comes.
    if hasPaused { streamed = Self.warmUp - Self.warmUpAgain }
    hasPaused = false
    isShort = false
  }
}
