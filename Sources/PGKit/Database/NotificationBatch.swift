/// Notifications that arrived together, in order.
///
/// They lie here as the server sent them. A ``PGNotification`` is made of one when it is looked at; who
/// only passes its texts on looks at the bytes, and nothing is made at all.
public struct NotificationBatch: Sendable, Hashable {
  private var run: NotificationRun
  /// How many that came before these are missing: more than 64 MiB waited to be taken, and the oldest
  /// were dropped.
  public private(set) var dropped = 0

  init(_ run: NotificationRun, dropped: Int = 0) { (self.run, self.dropped) = (run, dropped) }

  /// Makes an empty batch.
  public init() { run = NotificationRun() }

  /// Adds those of a later batch.
  ///
  /// Where both belong together, what was dropped between them is counted as well.
  public mutating func append(contentsOf other: NotificationBatch) {
    run.append(other.run)
    dropped += other.dropped
  }

  /// Hands over the bytes of each, in order.
  public func forEachBytes(_ body: (NotificationBytes) throws -> Void) rethrows {
    try run.texts.withUnsafeBytes { texts in
      for place in run.places { try body(NotificationBytes(place, in: texts)) }
    }
  }
}

extension NotificationBatch: RandomAccessCollection {
  /// Zero.
  public var startIndex: Int { 0 }
  /// How many there are.
  public var endIndex: Int { run.places.count }

  /// One of them, made when it is asked for; as of an array, there must be one at that position.
  public subscript(position: Int) -> PGNotification {
    let place = run.places[position]
    return run.texts.withUnsafeBytes { PGNotification(NotificationBytes(place, in: $0)) }
  }
}

/// An event of NOTIFY as the server sent it, borrowed for the call that it is handed to.
public struct NotificationBytes {
  /// The server process of the session that notified.
  public let processID: Int32
  /// The channel.
  public let channel: UnsafeRawBufferPointer
  /// The payload; empty if none was given.
  ///
  /// It is UTF-8, except of a SQL_ASCII database.
  public let payload: UnsafeRawBufferPointer

  fileprivate init(_ place: NotificationRun.Place, in texts: UnsafeRawBufferPointer) {
    processID = place.processID
    channel = UnsafeRawBufferPointer(rebasing: texts[place.channel])
    payload = UnsafeRawBufferPointer(rebasing: texts[place.payload])
  }
}
