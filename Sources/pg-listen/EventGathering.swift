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
    var event: NumberedEvent
    let first: ContinuousClock.Instant
    var last: ContinuousClock.Instant
  }

  /// An event that never ends repeating is held for so many pauses at most.
  private static let longest = 10

  private let pause: Duration
  private let part: CoalescedPart
  private var held: [Key: Held] = [:]
  /// In the order of their first events.
  private var order: [Key] = []

  /// - Parameter pause: For how long nothing of the kind must have come.
  init(pause: Duration, part: CoalescedPart) {
    self.pause = pause
    self.part = part
  }

  /// Whether there is nothing held.
  var isEmpty: Bool { order.isEmpty }

  /// Takes an event, which becomes one with those of its kind.
  mutating func add(_ event: NumberedEvent, at time: ContinuousClock.Instant) {
    let payload = part == .payload ? event.event.payload : []
    let key = Key(source: event.source, channel: event.event.channel, payload: payload)
    var event = event
    if let former = held[key] {
      event.event.count += former.event.event.count
      held[key] = Held(event: event, first: former.first, last: time)
    } else {
      held[key] = Held(event: event, first: time, last: time)
      order.append(key)
    }
  }

  /// When the next is due; `nil` if there is none.
  var nextTime: ContinuousClock.Instant? { held.values.map(dueTime).min() }

  private func dueTime(_ held: Held) -> ContinuousClock.Instant {
    min(held.last.advanced(by: pause), held.first.advanced(by: pause * Self.longest))
  }

  /// Hands over those that are due at a time; all of them without one.
  mutating func take(at time: ContinuousClock.Instant?) -> [NumberedEvent] {
    var due: [NumberedEvent] = []
    var rest: [Key] = []
    for key in order {
      guard let event = held[key] else { continue }
      if time.map({ dueTime(event) <= $0 }) ?? true {
        held[key] = nil
        due.append(event.event)
      } else {
        rest.append(key)
      }
    }
    order = rest
    return due
  }
}
