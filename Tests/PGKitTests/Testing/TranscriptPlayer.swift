@testable import PGKit

/// Plays a transcript against a session: no socket, no clock.
final class TranscriptPlayer {
  /// The session did something else.
  struct Mismatch: Error, CustomStringConvertible {
    let description: String
  }

  private var session = Session()
  private var conversation: Conversation?
  private var trace = Trace(showsSecrets: true)
  private var events: [String] = []
  private var settings: [String: String] = [:]
  private var line = 0
  /// The bytes of the server that have been played, and where the next pieces end.
  private var offset = 0
  private var ends: ArraySlice<Int>
  private var sent: [String] = []

  private init(_ transcript: Transcript, _ fragmentation: Fragmentation) {
    ends = fragmentation.ends(of: transcript.byteCount)[...]
  }

  /// Plays `transcript` with the server's bytes cut in that way.
  static func play(_ transcript: Transcript, _ fragmentation: Fragmentation) throws {
    let player = TranscriptPlayer(transcript, fragmentation)
    for line in transcript.lines {
      player.line = line.number
      try player.play(line.step)
    }
    try player.requireNothingLeft()
  }

  private func play(_ step: Transcript.Step) throws {
    switch step {
    case .does(let words):
      try requireQuiet()
      try begin(words)
    case .sends(let expected):
      takeOutbox()
      try require(sent.isEmpty ? "nothing" : sent.removeFirst(), is: expected)
    case .receives(let text, let bytes):
      takeOutbox()
      if let first = sent.first { throw mismatch("sent too early: \(first)") }
      try checkTrace(bytes, text)
      feed(bytes)
    case .gives(let expected):
      try require(events.isEmpty ? "nothing" : events.removeFirst(), is: expected)
    }
  }

  // MARK: The client

  private func begin(_ words: [Word]) throws {
    let texts = words.map(\.text)
    switch texts.first {
    case "idle": attempt { () throws(PGError) in try session.advanceIdle() }
    case "end": session.close()
    case "data": CopyData(bytes: Array(texts[1].utf8)).encode(into: &session.outbox)
    case "done": BodilessMessage.copyDone.encode(into: &session.outbox)
    case "fail": CopyFail(reason: texts[1]).encode(into: &session.outbox)
    default:
      guard let begun = try Conversation.begun(by: words) else {
        throw mismatch("nobody knows how to \(texts.joined(separator: " "))")
      }
      conversation = begun
      attempt { () throws(PGError) in try begun.begin(&session) }
      advance()
    }
  }

  private func attempt(_ body: () throws(PGError) -> Void) {
    do throws(PGError) {
      try body()
      drain()
    } catch { record(error) }
  }

  private func takeOutbox() {
    let bytes = session.outbox.bytes
    session.outbox.removeFirst(bytes.count)
    sent += traced(bytes, .frontend)
  }

  // MARK: The server

  private func feed(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let end = ends.first ?? .max
      let piece = rest.prefix(end - offset)
      offset += piece.count
      if offset == end { ends.removeFirst() }
      rest = rest.dropFirst(piece.count)
      session.feed(piece)
      advance()
    }
  }

  private func advance() {
    while let conversation {
      do throws(PGError) {
        let progress = try conversation.advance(&session)
        drain()
        if case .needsBytes = progress { return }
        record(progress, conversation)
      } catch { record(error) }
    }
  }

  // MARK: What comes of it

  private func record(_ progress: Session.Progress, _ conversation: Conversation) {
    switch progress {
    case .needsBytes: break
    case .rows(let run): events += run.lines
    case .copyData(let run):
      run.forEach { data in
        let text = String(decoding: data, as: UTF8.self).replacing("\n", with: "\\n")
        events.append("data '\(text.replacing("\t", with: "\\t"))'")
      }
    case .delivered: events.append("delivered")
    case .finished:
      events += conversation.summary + ["finished \(session.status)"]
      self.conversation = nil
    }
  }

  private func record(_ error: PGError) {
    drain()
    conversation = nil
    switch session.state {
    case .failed: events.append("over \(error.code) \(error.message)")
    case .idle: events.append("error \(error.code) \(error.message), then \(session.status)")
    default: events.append("refused \(error.code) \(error.message)")
    }
  }

  private func drain() {
    for notice in session.unsolicited.takeNotices() {
      events.append("notice \(notice.code) \(notice.message)")
    }
    for event in NotificationBatch(session.unsolicited.takeNotifications()) {
      events.append("notification \(event.processID) \(event.channel) \(event.payload)")
    }
    if case .starting = session.state { return }
    let now = session.unsolicited.parameters
    for (name, value) in now.sorted(by: { $0.key < $1.key }) where settings[name] != value {
      events.append("setting \(name) \(value)")
    }
    settings = now
  }

  // MARK: Judgement

  /// The trace must say of the server's bytes what the transcript says.
  private func checkTrace(_ bytes: [UInt8], _ text: String) throws {
    var lines: [String] = []
    let half = bytes.count / 2
    lines += traced(Array(bytes[..<half]), .backend)
    lines += traced(Array(bytes[half...]), .backend)
    try require(lines.joined(separator: "; "), is: text)
  }

  private func traced(_ bytes: [UInt8], _ sender: Trace.Sender) -> [String] {
    let lines = bytes.withUnsafeBytes { trace.lines($0, from: sender) }
    return lines.map { $0.split(separator: "\t").dropFirst(2).joined() }
  }

  private func require(_ actual: String, is expected: String) throws {
    if actual != expected { throw mismatch("expected: \(expected)\n     got: \(actual)") }
  }

  private func requireQuiet() throws {
    takeOutbox()
    if let event = events.first { throw mismatch("not expected before this: \(event)") }
    if let message = sent.first { throw mismatch("not to be sent before this: \(message)") }
  }

  private func requireNothingLeft() throws {
    try requireQuiet()
    if case .failed = session.state { return }
    if !session.inbox.isEmpty { throw mismatch("bytes of the server were not looked at") }
    if conversation != nil { throw mismatch("the conversation has not come to its end") }
  }

  private func mismatch(_ text: String) -> Mismatch {
    Mismatch(description: "line \(line): \(text)")
  }
}

extension Session {
  /// Receives bytes, as many at a time as there is room for.
  mutating func feed(_ bytes: some Sequence<UInt8>) {
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      let room = inbox.room()
      let piece = rest.prefix(room.count)
      room.copyBytes(from: piece)
      inbox.received(piece.count)
      rest = rest.dropFirst(piece.count)
    }
  }

  /// The letter of the transaction status; `-` unless the session is idle.
  var status: String {
    guard case .idle(let status) = state else { return "-" }
    return String(Character(Unicode.Scalar(status.rawValue)))
  }
}

extension RowRun {
  /// The rows as lines of a transcript.
  var lines: [String] {
    (0..<count).map { row in
      let values = (0..<columnCount).map { column in
        guard let reader = reader(row: row, column: column) else { return "NULL" }
        return "'\(String(decoding: reader.unread, as: UTF8.self))'"
      }
      return (["row"] + values).joined(separator: " ")
    }
  }
}
