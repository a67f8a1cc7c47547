internal import Glibc
internal import PGCommandLine
internal import PGKit

/// Prints events, each as one line with one write.
struct EventPrinter {
  /// How many have been printed.
  private(set) var count = 0
  private let limit: Int?
  private var buffer = OutputBuffer()

  /// Makes a printer of at most `limit` events.
  init(limit: Int?) { self.limit = limit }

  /// Whether as many as were wanted have been printed.
  var isDone: Bool { count == limit }

  /// Prints events that have arrived now.
  ///
  /// - Throws: ``StandardOutput/Failure`` if stdout does not accept one.
  mutating func print(_ events: [PGNotification]) throws(StandardOutput.Failure) {
    guard !events.isEmpty else { return }
    let time = Self.now()
    for event in events where !isDone {
      count += 1
      append(event, time)
      try buffer.drain()
    }
  }

  private mutating func append(_ event: PGNotification, _ time: String) {
    buffer.append("{\"event\":\"notify\",\"seq\":\(count),\"channel\":")
    JSONText.append(event.channel, to: &buffer)
    buffer.append(",\"payload\":")
    if let bytes = event.rawPayload {
      buffer.append("null,\"payload_b64\":\"\(Base64.encode(bytes))\"")
    } else {
      JSONText.append(event.payload, to: &buffer)
    }
    buffer.append(",\"pid\":\(event.processID),\"at\":\"\(time)\"}\n")
  }

  /// The wall clock in UTC with microseconds: the server does not send a time.
  private static func now() -> String {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    var parts = tm()
    gmtime_r(&time.tv_sec, &parts)
    let date = [
      padded(Int(parts.tm_year) + 1900, 4), padded(Int(parts.tm_mon) + 1, 2),
      padded(Int(parts.tm_mday), 2),
    ].joined(separator: "-")
    let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int($0), 2) }
    return "\(date)T\(clock.joined(separator: ":")).\(padded(time.tv_nsec / 1000, 6))Z"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.utf8.count, 0)) + digits
  }
}
