internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

extension Interruptions {
  /// Waits for a time up to this, by chance.
  ///
  /// - Throws: ``Failure`` when a signal came or time is over; what it says is put in place by
  ///   ``CopyJob/run()``.
  func wait(upTo longest: Duration) throws(Failure) {
    let (seconds, attoseconds) = longest.components
    let milliseconds = seconds * 1000 + attoseconds / 1_000_000_000_000_000
    let end = Deadline.after(.milliseconds(Int64.random(in: 0...max(milliseconds, 0))))
    while !end.hasPassed {
      try check()
      _ = poll(nil, 0, min(end.pollTimeout, 100))
    }
  }
}
