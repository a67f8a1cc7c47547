import Testing

@testable import PGKit

@Suite("Unsolicited") struct UnsolicitedTests {
  private func message(_ text: String) throws -> BackendMessage {
    let bytes = try BackendEncoder.encode(text)
    return try ByteReader.over(Array(bytes.dropFirst(5))) { (reader) throws(PGError) in
      try BackendMessage(tag: bytes[0], body: &reader)
    }
  }

  @Test("a flood of notifications drops the oldest and counts them")
  func notifications() {
    var queue = BoundedQueue<Int>(limit: 64 * 100) { _ in 0 }
    for number in 0..<1_000 { queue.append(number) }
    #expect(queue.count <= 100)
    let left = queue.takeAll()
    #expect(left.last == 999)
    #expect(left == Array((1_000 - left.count)..<1_000))
    #expect(queue.takeDropped() + left.count == 1_000)
    #expect(queue.isEmpty)
  }

  /// A message's body as a notification.
  private func accept(
    _ channel: String, _ payload: String, into queue: inout NotificationQueue
  ) throws {
    let bytes = [0, 0, 0, 7] + Array(channel.utf8) + [0] + Array(payload.utf8) + [0]
    try bytes.withUnsafeBytes {
      var reader = ByteReader($0)
      queue.append(try NotificationResponse(decoding: &reader))
    }
  }

  private func payloads(_ run: NotificationRun) -> [String] {
    NotificationBatch(run).map(\.payload)
  }

  @Test("notifications that nobody takes are dropped by halves, and the newest stays")
  func oldNotifications() throws {
    var queue = NotificationQueue(limit: 10_000)
    for number in 0..<1_000 { try accept("c", "\(number)", into: &queue) }
    let left = queue.takeAll()
    let dropped = queue.takeDropped()
    #expect(left.size <= 10_000)
    #expect(dropped > 500)
    #expect(payloads(left) == (dropped..<1_000).map { "\($0)" })
    #expect(queue.isEmpty && queue.takeDropped() == 0)
    let long = String(repeating: "é", count: 20_000)
    for text in ["1", "2", long] { try accept("c", text, into: &queue) }
    #expect(payloads(queue.takeAll()) == [long])
    #expect(queue.takeDropped() == 2)
    try accept("c", "3", into: &queue)
    #expect(payloads(queue.takeAll()) == ["3"])
  }

  @Test("runs of notifications become one, and each keeps its parts")
  func runs() throws {
    var queue = NotificationQueue(limit: 10_000)
    try accept("one", "", into: &queue)
    try accept("", "two", into: &queue)
    var batch = NotificationBatch(queue.takeAll())
    try accept("é", "\u{1F600}", into: &queue)
    batch.append(contentsOf: NotificationBatch(queue.takeAll()))
    #expect(batch.map(\.channel) == ["one", "", "é"])
    #expect(batch.map(\.payload) == ["", "two", "\u{1F600}"])
    var bytes: [[UInt8]] = []
    batch.forEachBytes { bytes.append(Array($0.channel) + Array($0.payload)) }
    #expect(bytes == batch.map { Array(($0.channel + $0.payload).utf8) })
    #expect(batch.map(\.processID) == [7, 7, 7])
  }

  @Test("the size of what waits counts, and the newest stays however large it is")
  func sizes() {
    var queue = BoundedQueue<Int>(limit: 1_000) { $0 }
    queue.append(100)
    queue.append(900)
    #expect(queue.count == 1)
    queue.append(5_000)
    #expect(queue.takeAll() == [5_000])
    #expect(queue.takeDropped() == 2)
    #expect(queue.takeDropped() == 0)
  }

  @Test("a flood of settings is not remembered, a known one is")
  func settings() throws {
    var unsolicited = Unsolicited()
    #expect(unsolicited.accept(try message("ParameterStatus \"a\" \"1\"")))
    for number in 0..<2_000 {
      #expect(unsolicited.accept(try message("ParameterStatus \"x\(number)\" \"1\"")))
    }
    #expect(unsolicited.parameters.count == Unsolicited.parameterLimit)
    #expect(unsolicited.accept(try message("ParameterStatus \"a\" \"2\"")))
    #expect(unsolicited.parameters["a"] == "2")
  }

  @Test("a server that never stops talking is not let in")
  func startup() throws {
    let scene = SessionScene("", "startup 3.0 user=jwp", ["AuthenticationOk"], [:])
    let player = try scene.play()
    let text = String(repeating: "x", count: 20_000)
    let bytes = try BackendEncoder.encode("NoticeResponse M \"\(text)\" \\x00")
    var outcome = "accepted"
    var count = 0
    while outcome == "accepted", count < 1_000 {
      outcome = player.receive(bytes)
      count += 1
    }
    #expect(outcome == "over 08P01")
    #expect(count * bytes.count <= Session.startupLimit + bytes.count)
  }
}
