import PGConnecting
import PGErrorCodes
import PGKit
import Testing

@Suite struct RetryPolicyTests {
  private let policy = RetryPolicy(triesAll: false, longest: .seconds(5))

  @Test(
    "another attempt is for what passes, and not for what stays",
    arguments: [
      (SQLState.connectionFailure, PGError.Fault.transport, true),
      (.cannotConnectNow, .server, true), (.tooManyConnections, .server, true),
      (.readOnlySqlTransaction, .server, true), (.queryCanceled, .transport, true),
      (.uniqueViolation, .server, true), (.protocolViolation, .peer, false),
      (.clientParameterError, .caller, false),
    ])
  func again(code: SQLState, fault: PGError.Fault, want: Bool) {
    let error = PGError(code: code, message: "m", fault: fault)
    #expect(policy.mayTryAgain(after: error) == want)
    #expect(RetryPolicy(triesAll: true).mayTryAgain(after: error))
  }

  @Test("pauses grow from a tenth of a second to the longest, and differ")
  func pauses() {
    for attempt in [0, 1, 5, 16, 17, 63, 64, 1_000_000, Int.max] {
      let most = min(Duration.milliseconds(100) * (1 << min(attempt, 16)), .seconds(5))
      let pauses = (0..<50).map { _ in policy.pause(before: attempt) }
      #expect(pauses.allSatisfy { $0 >= .zero && $0 <= most }, "attempt \(attempt)")
      #expect(Set(pauses).count > 10)
      #expect(pauses.contains { $0 > most / 2 })
    }
  }

  @Test("no pause goes past the end of the time")
  func sleeping() {
    let begin = ContinuousClock.now
    for attempt in 0..<20 { policy.sleep(before: attempt, until: .after(.zero)) }
    #expect(ContinuousClock.now - begin < .seconds(1))
  }
}
