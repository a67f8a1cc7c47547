internal import Glibc
internal import PGKit

/// Reads what somebody writes, and gives it in whole lines.
struct WholeLines {
  /// The most that one line may have: longer ones are divided.
  private static let limit = 64 * 1024
  private var rest: [UInt8] = []
  private var chunk = [UInt8](repeating: 0, count: 16 * 1024)

  /// Passes on what a command writes until it has ended: something that it left behind may keep the pipe
  /// open for ever.
  static func pass(_ descriptor: CInt, of child: ChildProcess, _ body: ([UInt8]) -> Void) {
    var lines = WholeLines()
    while true {
      let hasEnded = child.wait(until: .after(.zero)) != nil
      var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&request, 1, hasEnded ? 0 : 50) <= 0 {
        if hasEnded { break }
        continue
      }
      guard lines.read(descriptor, body) else { break }
    }
    lines.finish(body)
  }

  /// Reads once; `false` at the end.
  private mutating func read(_ descriptor: CInt, _ body: ([UInt8]) -> Void) -> Bool {
    let count = Glibc.read(descriptor, &chunk, chunk.count)
    if count < 0 { return errno == EINTR || errno == EAGAIN }
    guard count > 0 else { return false }
    rest += chunk.prefix(count)
    if rest.count > Self.limit, !rest.contains(UInt8(ascii: "\n")) {
      rest.append(UInt8(ascii: "\n"))
    }
    if let end = rest.lastIndex(of: UInt8(ascii: "\n")) {
      body(Array(rest[...end]))
      rest.removeFirst(end + 1)
    }
    return true
  }

  /// Gives a last line that was not ended, with its end.
  private mutating func finish(_ body: ([UInt8]) -> Void) {
    if !rest.isEmpty { body(rest + [UInt8(ascii: "\n")]) }
    rest = []
  }
}
