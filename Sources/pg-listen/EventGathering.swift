internal import PGCommandLine
internal import PGKit

/// Which events are the same where several become one.
enum CoalescedPart: String, WordArgument {
  /// Those of a channel.
  case channel
  /// Those of a channel with the same payload.
  case payload
}

/// Holds events back for a while, and makes one of those that are the same: the last of them, which
/// says how many it stands for.
struct EventGathering {
  private struct Key: Hashable {
    let source: String
    let channel: String
    let payload: [UInt8]
  }

  private struct Held {
    let key: Key
    /// Its place among all that were ever held, in the order of their first events.
    let place: Int
    var event: NumberedEvent
    let first: ContinuousClock.Instant
    var last: ContinuousClock.Instant

    var cost: Int { key.payload.count + event.event.payload.count + key.channel.utf8.count + 300 }
  }

  /// An order of those that are held, from which each is taken out at once.
  private struct Chain {
    private(set) var first: Int?
    private var last: Int?
    private var before: [Int?] = []
    private var after: [Int?] = []

    mutating func append(_ slot: Int) {
      while before.count <= slot {
        before.append(nil)
        after.append(nil)
      }
      (before[slot], after[slot]) = (last, nil)
      if let last { after[last] = slot } else { first = slot }
      last = slot
    }

    mutating func remove(_ slot: Int) {
      let (former, next) = (before[slot], after[slot])
      if let former { after[former] = next } else { first = next }
      if let next { before[next] = former } else { last = former }
    }
  }

  /// An event that never ends repeating is held for so many pauses at most.
  private static let longest = 10

  private let pause: Duration
  private let part: CoalescedPart
  /// The most memory that may be held.
  private let limit: Int
  private var slots: [Held?] = []
  private var freeSlots: [Int] = []
  private var slotOfKey: [Key: Int] = [:]
  /// In the order of their first events, and of their last ones.
  private var (byFirst, byLast) = (Chain(), Chain())
  private var size = 0
  private var places = 0

  /// - Parameters:
  ///   - pause: For how long nothing of the kind must have come.
  ///   - limit: How many bytes may be held.
  init(pause: Duration, part: CoalescedPart, limit: Int) {
    self.pause = pause
    self.part = part
    self.limit = limit
  }

  /// Whether there is nothing held.
  var isEmpty: Bool { slotOfKey.isEmpty }

  /// Takes an event, which becomes one with those of its kind.
  mutating func add(_ event: NumberedEvent, at time: ContinuousClock.Instant) {
    let payload = part == .payload ? event.event.payload : []
    let key = Key(source: event.source, channel: event.event.channel, payload: payload)
    var held = Held(key: key, place: places, event: event, first: time, last: time)
    if let slot = slotOfKey[key], let former = slots[slot] {
      held = Held(key: key, place: former.place, event: event, first: former.first, last: time)
      held.event.event.count += former.event.event.count
      size -= former.cost
      byLast.remove(slot)
      byLast.append(slot)
      slots[slot] = held
    } else {
      let slot = freeSlots.popLast() ?? slots.count
      if slot == slots.count { slots.append(held) } else { slots[slot] = held }
      slotOfKey[key] = slot
      places += 1
      byFirst.append(slot)
      byLast.append(slot)
    }
    size += held.cost
  }

  /// When the next is due; `nil` if there is none.
  var nextTime: ContinuousClock.Instant? {
    guard let oldest = byFirst.first.flatMap({ slots[$0] }),
      let quietest = byLast.first.flatMap({ slots[$0] })
    else { return nil }
    return min(
      quietest.last.advanced(by: pause), oldest.first.advanced(by: pause * Self.longest))
  }

  /// Hands over those that are due at a time, in the order of their first events; all of them without
  /// one.
  mutating func take(at time: ContinuousClock.Instant?) -> [NumberedEvent] {
    var due: [Held] = []
    while let slot = byFirst.first, let oldest = slots[slot],
      time.map({ oldest.first.advanced(by: pause * Self.longest) <= $0 }) ?? true
    { due.append(remove(oldest, slot)) }
    while let slot = byLast.first, let quietest = slots[slot],
      time.map({ quietest.last.advanced(by: pause) <= $0 }) ?? true
    { due.append(remove(quietest, slot)) }
    return due.sorted { $0.place < $1.place }.map(\.event)
  }

  /// Hands over the older half when more is held than may be, due or not.
  mutating func takeExcess() -> [NumberedEvent] {
    guard size > limit else { return [] }
    var excess: [NumberedEvent] = []
    while size > limit / 2, let slot = byFirst.first, let oldest = slots[slot] {
      excess.append(remove(oldest, slot).event)
    }
    return excess
  }

  private mutating func remove(_ held: Held, _ slot: Int) -> Held {
    byFirst.remove(slot)
    byLast.remove(slot)
    slotOfKey[held.key] = nil
    slots[slot] = nil
    size -= held.cost
    if slotOfKey.isEmpty { (slots, freeSlots) = ([], []) } else { freeSlots.append(slot) }
    return held
  }
}
