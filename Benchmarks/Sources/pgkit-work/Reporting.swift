import Glibc

/// The command line asks for what there is not.
struct WrongUse: Error {
  let message: String
}

/// A result is not what it must be: what was measured then means nothing.
struct WrongResult: Error, CustomStringConvertible {
  let description: String
}

func complain(_ message: String) -> Never {
  fputs("pgkit-work: \(message)\n", stderr)
  exit(1)
}

/// Says how long `count` operations took since `start`.
func report(_ count: Int, since start: ContinuousClock.Instant) {
  let span = (ContinuousClock.now - start).components
  let seconds = Double(span.seconds) + Double(span.attoseconds) / 1e18
  fputs("WORK seconds=\(seconds) ops=\(count)\n", stderr)
}

func require(_ holds: Bool, _ description: @autoclosure () -> String) throws {
  if !holds { throw WrongResult(description: description()) }
}
