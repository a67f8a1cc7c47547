/// Notifications one after the other, in memory of their own.
///
/// Rows keep the buffer that they were received into; one notification that waits for days must not.
struct NotificationRun: Sendable, Hashable {
  /// Where one lies, and who sent it.
  struct Place: Sendable, Hashable {
    let processID: Int32
    /// Where its channel begins, which its payload follows.
    fileprivate(set) var start: Int
    let channelCount: Int
    let payloadCount: Int

    var channel: Range<Int> { start..<start + channelCount }
    var payload: Range<Int> { channel.upperBound..<channel.upperBound + payloadCount }
  }

  /// Channels and payloads, as the server sent them.
  private(set) var texts: [UInt8] = []
  private(set) var places: [Place] = []

  /// How much memory they take.
  var size: Int { texts.count + places.count * MemoryLayout<Place>.stride }

  /// Adds one at the end.
  mutating func append(_ event: NotificationResponse) {
    places.append(
      Place(
        processID: event.processID, start: texts.count, channelCount: event.channel.remaining,
        payloadCount: event.payload.remaining))
    texts.append(contentsOf: event.channel.unread)
    texts.append(contentsOf: event.payload.unread)
  }

  /// Adds those of another run at the end.
  mutating func append(_ other: NotificationRun) {
    let offset = texts.count
    texts += other.texts
    for var place in other.places {
      place.start += offset
      places.append(place)
    }
  }

  /// Removes the oldest; `count` must not be more than there are.
  mutating func removeFirst(_ count: Int) {
    places.removeFirst(count)
    let start = places.first?.start ?? texts.count
    texts.removeFirst(start)
    for index in places.indices { places[index].start -= start }
  }
}

extension NotificationRun {
  /// Removes all, and keeps room for as many.
  fileprivate mutating func empty() {
    texts.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
  }
}

/// Notifications that wait to be taken; the oldest half is dropped when they become too many.
struct NotificationQueue {
  /// Room for more than this is given back.
  private static let keptSize = 1 << 16

  private let limit: Int
  private var run = NotificationRun()
  /// How many were dropped since somebody asked.
  private var dropped = 0

  /// - Parameter limit: The most memory that may wait, in bytes.
  init(limit: Int) { self.limit = limit }

  var isEmpty: Bool { run.places.isEmpty }

  /// Adds one; the newest always stays.
  mutating func append(_ event: NotificationResponse) {
    run.append(event)
    while run.size > limit, run.places.count > 1 {
      let count = run.places.count / 2
      run.removeFirst(count)
      dropped += count
    }
  }

  /// Hands everything over.
  mutating func takeAll() -> NotificationRun {
    let taken = run
    // What comes next is likely to be as much.
    if taken.size <= Self.keptSize { run.empty() } else { run = NotificationRun() }
    return taken
  }

  /// How many were dropped since this was last asked.
  mutating func takeDropped() -> Int {
    defer { dropped = 0 }
    return dropped
  }
}
