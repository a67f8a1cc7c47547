internal import Glibc
public import PGKit

/// Whether and when to connect, or to run something, again.
public struct RetryPolicy: Sendable {
  /// Whether to try again whatever the server says.
  public let triesAll: Bool
  /// The longest pause between two attempts.
  public let longest: Duration

  /// Makes a policy.
  public init(triesAll: Bool, longest: Duration = .seconds(30)) {
    (self.triesAll, self.longest) = (triesAll, longest)
  }

  private static let shortest = Duration.milliseconds(100)

  /// Whether another attempt may have another end.
  ///
  /// A login that was refused or a database that is missing will not come back by itself; a standby
  /// may be promoted.
  public func mayTryAgain(after error: PGError) -> Bool {
    if triesAll { return true }
    switch error.code {
    case .readOnlySqlTransaction, .cannotConnectNow, .tooManyConnections: return true
    case .queryCanceled: return true
    default: break
    }
    switch error.fault {
    case .transport: return true
    case .server: return error.fields?.isFatal != true || Self.passes(error.code)
    case .peer, .caller: return false
    }
  }

  /// FATAL for a session, and not for the next: classes 57 and 08, 53.
  private static func passes(_ code: SQLState) -> Bool {
    ["57", "53", "08", "XX"].contains(code.classCharacters)
  }

  /// How long to wait before an attempt, by chance: many clients must not come back all at once.
  ///
  /// - Parameter attempt: 0 for the first one.
  public func pause(before attempt: Int) -> Duration {
    .microseconds(Int64.random(in: 0...Self.microseconds(longestPause(before: attempt))))
  }

  /// What ``pause(before:)`` does not exceed.
  public func longestPause(before attempt: Int) -> Duration {
    min(Self.shortest * (1 << min(attempt, 16)), longest)
  }

  /// Waits as long as ``pause(before:)`` says, but not past `end`.
  public func sleep(before attempt: Int, until end: Deadline) {
    let wake = Deadline.after(pause(before: attempt)).earlier(end)
    while !wake.hasPassed { _ = poll(nil, 0, wake.pollTimeout) }
  }

  private static func microseconds(_ duration: Duration) -> Int64 {
    let (seconds, attoseconds) = duration.components
    return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
  }
}
