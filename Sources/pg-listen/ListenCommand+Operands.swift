internal import ArgumentParser
internal import PGCommandLine

// What the command line says together: which operands are what, and which options exclude each other.

extension ListenCommand {
  // MARK: Operands

  /// What stands after `--`, which the parser puts among the operands.
  var command: [String] {
    let words = CommandLine.arguments
    guard exec, let place = words.firstIndex(of: "--") else { return [] }
    return operands.suffix(words.count - place - 1)
  }

  /// Each has a thread and a process.
  private static let mostParallel = 256

  /// Where to listen, and on which channels: the first operand says where, if it looks like that.
  var places: (iris: [String?], channels: [String]) {
    var names = exec ? Array(operands.dropLast(command.count)) : operands
    var iris: [String?] = on
    if on.isEmpty {
      iris = [names.first.flatMap { Self.isPlace($0) ? $0 : nil }]
      if iris[0] != nil { names.removeFirst() }
    }
    if notify != nil { return (iris, names) }
    var channels: [String] = []
    for name in fold ? names.map(Self.folded) : names where !channels.contains(name) {
      channels.append(name)
    }
    return (iris, channels)
  }

  /// Whether an operand is an IRI or a keyword string, and no channel.
  private static func isPlace(_ operand: String) -> Bool {
    operand.contains("://") || operand.contains("=") || operand.isEmpty
  }

  /// A name as the server folds it when it has no quotes; in UTF-8 only ASCII is folded.
  static func folded(_ channel: String) -> String {
    let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
    let bytes = channel.utf8.map { letters.contains($0) ? $0 | 0x20 : $0 }
    return String(decoding: bytes, as: UTF8.self)
  }

  // MARK: What goes together

  func validate() throws {
    if let count, count < 1 { throw ValidationError("--count must be at least 1") }
    for (name, value) in [("timeout", timeout), ("idle-timeout", idleTimeout)] {
      if let value, value.duration <= .zero {
        throw ValidationError("--\(name) must be longer than 0")
      }
    }
    if heartbeatTimeout.duration <= .zero {
      throw ValidationError("--heartbeat-timeout must be longer than 0")
    }
    if let maxParallel, !(1...Self.mostParallel).contains(maxParallel) {
      throw ValidationError("--max-parallel must be between 1 and \(Self.mostParallel)")
    }
    if exec, command.isEmpty { throw ValidationError("--exec: no command stands after --") }
    if !exec {
      if maxParallel != nil { throw ValidationError("--max-parallel goes with --exec") }
      if onFail != nil { throw ValidationError("--on-fail goes with --exec") }
    }
    try readyFD?.validate()
    try validateDurable()
    try validateChannels()
  }

  private func validateDurable() throws {
    if durable.table != nil {
      if held.isWanted {
        throw ValidationError("--durable has every row seen to: no --debounce, no --coalesce")
      }
      if let onOverflow, onOverflow != .block {
        throw ValidationError("--on-overflow \(onOverflow.rawValue): --durable loses no row")
      }
      if fromPID != nil { throw ValidationError("--from-pid: a row has no process") }
    }
  }

  private func validateChannels() throws {
    if let notify {
      if notify.isEmpty { throw ValidationError("--notify: a channel has no name") }
      if places.channels.count > 1 { throw ValidationError("--notify takes one payload") }
      try Self.validate(channel: notify)
      let others: [(name: String, isGiven: Bool)] = [
        ("count", count != nil), ("until", !until.isEmpty), ("idle-timeout", idleTimeout != nil),
        ("drain", drain), ("exec", exec), ("durable", durable.table != nil),
        ("on-ready", onReady != nil), ("on-ready-sql", onReadySQL != nil),
        ("ready-fd", readyFD != nil),
      ]
      if let other = others.first(where: \.isGiven) {
        throw ValidationError("--notify does not listen: --\(other.name) does not go with it")
      }
    } else {
      if places.channels.isEmpty, durable.table == nil {
        throw ValidationError("no channel is given")
      }
      if places.channels.contains("") { throw ValidationError("a channel has no name") }
      // Those of rows are any text.
      if durable.table == nil {
        for channel in places.channels { try Self.validate(channel: channel) }
      }
    }
  }

  /// The server would cut a longer name, and take it for another one.
  ///
  /// Source: PostgreSQL manual, "Identifiers and Key Words".
  private static func validate(channel: String) throws {
    let (count, most) = (channel.utf8.count, 63)
    guard count > most else { return }
    throw ValidationError(
      "the channel \"\(channel)\" has \(count) bytes; a name has at most \(most)")
  }
}
