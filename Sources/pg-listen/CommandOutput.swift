internal import Glibc
internal import PGKit

/// What a command writes, in whole lines.
struct CommandOutput {
  /// How often is looked whether the command has ended, in milliseconds.
  private static let pause: CInt = 50

  private let limit: Int
  private var rest: [UInt8] = []
  private var chunk = [UInt8](repeating: 0, count: 64 * 1024)

  private init(limit: Int) { self.limit = limit }

  /// Passes on what a command writes until it has ended: something that it left behind may keep the pipe
  /// open for ever.
  ///
  /// - Parameters:
  ///   - limit: How long a line may be.
  ///   - other: What else can be read meanwhile, as long as there is something.
  ///   - meanwhile: Called now and then, with whether it can; says whether to go on.
  /// - Returns: Whether no line was too long: after one that is, nothing is passed on.
  static func pass(
    _ descriptor: CInt, of child: ChildProcess, limit: Int, beside other: () -> CInt? = { nil },
    meanwhile: (Bool) -> Bool = { _ in true }, _ body: ([UInt8]) -> Void
  ) -> Bool {
    var output = CommandOutput(limit: limit)
    while true {
      let hasEnded = child.wait(until: .after(.zero)) != nil
      var polled = [
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
        // A number below 0 is passed over.
        pollfd(fd: other() ?? -1, events: Int16(POLLIN), revents: 0),
      ]
      let count = poll(&polled, nfds_t(polled.count), hasEnded ? 0 : pause)
      guard meanwhile(count > 0 && polled[1].revents != 0) else { break }
      guard count > 0, polled[0].revents != 0 else {
        if hasEnded { break }
        continue
      }
      guard output.read(descriptor, body) else { break }
      if output.rest.count > limit { return false }
    }
    // A last line that was not ended gets its end.
    if !output.rest.isEmpty { body(output.rest + [UInt8(ascii: "\n")]) }
    return true
  }

  /// What is said of a command whose line is too long.
  static func tooLong(_ limit: Int) -> String {
    "has printed a line of more than \(limit) bytes, as many as --buffer allows"
  }

  /// Reads once; `false` at the end.
  private mutating func read(_ descriptor: CInt, _ body: ([UInt8]) -> Void) -> Bool {
    let count = Glibc.read(descriptor, &chunk, chunk.count)
    if count < 0 { return errno == EINTR || errno == EAGAIN }
    guard count > 0 else { return false }
    // What came before has no end of a line.
    if let end = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) {
      body(rest + chunk[...end])
      rest = Array(chunk[(end + 1)..<count])
    } else {
      rest += chunk[..<count]
    }
    return true
  }
}
