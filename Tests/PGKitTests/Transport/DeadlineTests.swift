import Testing

@testable import PGKit

@Suite("Deadline")
struct DeadlineTests {
  @Test("none never passes and waits for ever")
  func never() {
    #expect(!Deadline.never.hasPassed)
    #expect(Deadline.never.pollTimeout == -1)
  }

  @Test("one in the past has passed and does not wait")
  func past() {
    let deadline = Deadline.after(.seconds(-1))
    #expect(deadline.hasPassed)
    #expect(deadline.pollTimeout == 0)
  }

  @Test("what remains is rounded up, so that a wait never ends early")
  func roundsUp() {
    let timeout = Deadline.after(.microseconds(1_500)).pollTimeout
    #expect((1...2).contains(timeout))
    #expect((9_000...10_000).contains(Deadline.after(.seconds(10)).pollTimeout))
  }

  @Test("a deadline in ages does not overflow")
  func farAway() {
    #expect(Deadline.after(.seconds(Int64.max / 4)).pollTimeout == 1_000_000_000)
    #expect(Deadline.after(.seconds(1_000_000_000)).pollTimeout == 1_000_000_000)
  }

  @Test("the earlier of two wins, and any wins over none")
  func earlier() {
    let (soon, late) = (Deadline.after(.seconds(1)), Deadline.after(.seconds(9)))
    #expect(soon.earlier(late).instant == soon.instant)
    #expect(late.earlier(soon).instant == soon.instant)
    #expect(Deadline.never.earlier(soon).instant == soon.instant)
    #expect(soon.earlier(.never).instant == soon.instant)
    #expect(Deadline.never.earlier(.never).instant == nil)
  }
}
