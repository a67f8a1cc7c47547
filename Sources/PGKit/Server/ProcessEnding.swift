/// How a process ended.
public enum ProcessEnding: Sendable, Hashable {
  /// By itself, with this status.
  case exited(Int32)
  /// By this signal.
  case signalled(Int32)
  /// Nobody can say: somebody else has collected it, or this process was started to ignore SIGCHLD.
  case unknown

  /// Decodes what `waitpid` answers.
  init(waitStatus status: Int32) {
    let signal = status & 0x7F
    self = signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
  }

  /// The status as a shell shows it: a death by signal is 128 and the signal's number.
  public var shellStatus: Int32 {
    switch self {
    case .exited(let status): status
    case .signalled(let signal): 128 + signal
    case .unknown: 1
    }
  }

  /// Whether the process ended by itself with status 0.
  public var isSuccess: Bool { self == .exited(0) }
}

extension ProcessEnding: CustomStringConvertible {
  /// `exited with status 1`, `was ended by signal 9`.
  public var description: String {
    switch self {
    case .exited(let status): "exited with status \(status)"
    case .signalled(let signal): "was ended by signal \(signal)"
    case .unknown: "ended in a way that is not known"
    }
  }
}
