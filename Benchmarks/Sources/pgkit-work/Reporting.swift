import Glibc

/// The command line asks for what there is not.
struct WrongUse: Error {
  let message: String
}

/// A result is not what it must be: what was measured then means nothing.
struct WrongResult: Error, CustomStringConvertible {
  let description: String
}

/// Writes a line to standard error.
func say(_ line: String) {
  let bytes = Array("\(line)\n".utf8)
  _ = write(STDERR_FILENO, bytes, bytes.count)
}

func complain(_ message: String) -> Never {
  say("pgkit-work: \(message)")
  exit(1)
}

/// Says how long `count` operations took since `start`.
func report(_ count: Int, since start: ContinuousClock.Instant) {
  let span = (ContinuousClock.now - start).components
  let seconds = Double(span.seconds) + Double(span.attoseconds) / 1e18
  say("WORK seconds=\(seconds) ops=\(count)")
}

func require(_ holds: Bool, _ description: @autoclosure () -> String) throws {
  if !holds { throw WrongResult(description: description()) }
}
