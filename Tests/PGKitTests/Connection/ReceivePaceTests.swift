import Testing

@testable import PGKit

@Suite struct ReceivePaceTests {
  private let room = ReceiveBuffer.initialCapacity * 2

  /// A pace that has seen a large result come in small pieces.
  private func warm() -> ReceivePace {
    var pace = ReceivePace()
    for _ in 0..<ReceivePace.warmUp / 8192 {
      #expect(pace.pauseBeforeReading() == 0)
      pace.received(8192, of: room)
    }
    return pace
  }

  @Test("a small answer is read without a pause, and so is a new one behind a large one")
  func small() {
    var pace = warm()
    #expect(pace.pauseBeforeReading() == ReceivePace.shortest)
    pace.received(8192, of: room)
    pace.sent()
    #expect(pace.pauseBeforeReading() == 0)
    pace.received(8192, of: room)
    #expect(pace.pauseBeforeReading() == 0)
  }

  @Test("pauses grow while little comes, up to the longest, and shrink when a read is full")
  func grows() {
    var pace = warm()
    var pauses: [Int] = []
    for _ in 0..<8 {
      pauses.append(pace.pauseBeforeReading())
      pace.received(8192, of: room)
    }
    #expect(pauses.map { $0 / 1000 } == [50, 100, 200, 400, 800, 1600, 2000, 2000])
    _ = pace.pauseBeforeReading()
    pace.received(room, of: room)
    // More is there: it is read at once.
    #expect(pace.pauseBeforeReading() == 0)
    pace.received(100, of: room)
    #expect(pace.pauseBeforeReading() == 1_000_000)
    pace.received(ReceivePace.enough, of: room)
    #expect(pace.pauseBeforeReading() == 0)
  }

  @Test("a server that has nothing to say after a pause is waited for without one")
  func slow() {
    var pace = warm()
    #expect(pace.pauseBeforeReading() > 0)
    pace.foundNothing()
    #expect(!pace.isDrained)
    for _ in 0..<ReceivePace.warmUpAgain / 100 {
      pace.received(100, of: room)
      #expect(pace.isDrained)
      #expect(pace.pauseBeforeReading() == 0)
    }
    pace.received(100, of: room)
    #expect(pace.pauseBeforeReading() > 0)
  }
}
