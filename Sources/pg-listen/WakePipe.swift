internal import Glibc
internal import PGCommandLine

/// Ends another thread's waiting: a pipe whose reading end that thread polls.
struct WakePipe: Sendable {
  /// What is polled.
  let descriptor: CInt
  private let writer: CInt

  /// Makes one; without it a thread could wait for ever, so the process ends if there is none.
  init() {
    guard let ends = Self.openPipe() else {
      let reason = String(cString: strerror(errno))
      Diagnostic(program: ListenCommand.program, message: "cannot make a pipe: \(reason)")
        .print(status: .localFailure)
      Program.end(.localFailure, program: ListenCommand.program)
    }
    (descriptor, writer) = ends
    for end in [descriptor, writer] { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
  }

  /// Opens a pipe that children do not inherit; `nil` if the system has none left.
  static func openPipe() -> (reading: CInt, writing: CInt)? {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// Wakes who polls it, now or when it polls next.
  func wake() {
    var byte: UInt8 = 0
    _ = write(writer, &byte, 1)
  }

  /// Takes what woke it.
  func clear() {
    var bytes: (UInt64, UInt64) = (0, 0)
    while read(descriptor, &bytes, MemoryLayout.size(ofValue: bytes)) > 0 {}
  }
}
