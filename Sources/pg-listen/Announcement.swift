internal import PGCommandLine
internal import PGKit
internal import Synchronization

/// Says, once, that all sources listen: on stderr, on the descriptor of `--ready-fd`, to systemd.
final class Announcement: Sendable {
  private let channels: [String]
  private let subject: String?
  private let isQuiet: Bool
  private let descriptor: ReadyDescriptor?
  private let missing: Mutex<Set<Int>>
  private let hinted = Mutex(false)
  private let sources: Int
  /// The sources that have had no heartbeat since systemd was last told that all is well.
  private let silent: Mutex<Set<Int>>

  /// - Parameter subject: What is listened to, if it is not just the channels.
  init(
    sources: Int, channels: [String], subject: String?, isQuiet: Bool,
    descriptor: ReadyDescriptor?
  ) {
    missing = Mutex(Set(0..<sources))
    silent = Mutex(Set(0..<sources))
    self.sources = sources
    self.channels = channels
    self.subject = subject
    self.isQuiet = isQuiet
    self.descriptor = descriptor
  }

  /// A source listens.
  ///
  /// - Throws: ``Failure`` with status 1 if that cannot be written to the descriptor.
  func listens(_ number: Int, _ source: String) throws(Failure) {
    if !isQuiet { say(source) }
    let isLast = missing.withLock { missing in
      missing.remove(number) != nil && missing.isEmpty
    }
    if isLast {
      try descriptor?.announce(program: ListenCommand.program)
      ServiceNotifier.send("READY=1")
    }
  }

  /// A heartbeat of a source has come back: when those of all have, systemd's watchdog is told.
  func isAlive(_ number: Int) {
    let areAll = silent.withLock { silent in
      silent.remove(number)
      guard silent.isEmpty else { return false }
      silent = Set(0..<sources)
      return true
    }
    if areAll { ServiceNotifier.send("WATCHDOG=1") }
  }

  /// Whether all sources have listened.
  var isMade: Bool { missing.withLock { $0.isEmpty } }

  private func say(_ source: String) {
    let names = channels.map { (try? SQL.quoteIdentifierIfNeeded($0)) ?? $0 }
    let all = ([subject].compactMap(\.self) + names).joined(separator: ", ")
    note("listening on \(all) (\(source))")
    let isFirst = hinted.withLock { hinted in
      defer { hinted = true }
      return !hinted
    }
    guard isFirst else { return }
    for channel in channels {
      if let other = Self.folded(channel) {
        note("an unquoted NOTIFY \(channel) sends to \(other), not to \(channel)")
      }
    }
  }

  /// The name that the server makes of a name without quotes, if that is a different one.
  ///
  /// Only where it could be written without quotes; in UTF-8 nothing but ASCII is folded.
  private static func folded(_ channel: String) -> String? {
    let folded = ListenCommand.folded(channel)
    return folded == channel || SQL.needsQuoting(folded) ? nil : folded
  }

  private func note(_ text: String) {
    Diagnostic(program: ListenCommand.program, message: text).print()
  }
}
