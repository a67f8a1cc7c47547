import Foundation
import Glibc

/// A program whose stderr is a terminal with so many columns.
final class TerminalProgram {
  /// What a frame begins with: back to the beginning of the line, and away with what is there.
  static let erasing = "\r\u{1B}[K"

  private let master: CInt
  private let path: String
  private let process: pid_t
  private var bytes: [UInt8] = []
  private var end: BuiltProgram.End?

  init(
    _ program: BuiltProgram, _ arguments: [String], columns: Int, term: String = "xterm"
  ) throws {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard let name = Self.unlock(master) else {
      throw BuiltProgram.Fault(description: "no terminal can be made")
    }
    path = name
    let terminal = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)
    defer { close(terminal) }
    _ = fcntl(master, F_SETFL, O_NONBLOCK)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, terminal, 2)
    var environment = BuiltProgram.ownEnvironment
    environment["TERM"] = term
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    let words = ([program.path] + arguments).map { strdup($0) } + [nil]
    defer { (variables + words).forEach { free($0) } }
    var number: pid_t = 0
    Self.resize(master, columns)
    let fault = posix_spawn(&number, program.path, &actions, nil, words, variables)
    process = number
    guard fault == 0 else {
      throw BuiltProgram.Fault(description: String(cString: strerror(fault)))
    }
  }

  /// `TIOCSPTLCK` and `TIOCGPTN`, macros of Linux that Swift does not see.
  private static let (unlocking, numbering): (UInt, UInt) = (0x4004_5431, 0x8004_5430)

  /// Makes the terminal's other side usable, and gives its path.
  private static func unlock(_ master: CInt) -> String? {
    var (no, number): (CInt, CUnsignedInt) = (0, 0)
    guard ioctl(master, unlocking, &no) == 0, ioctl(master, numbering, &number) == 0 else {
      return nil
    }
    return "/dev/pts/\(number)"
  }

  private static func resize(_ terminal: CInt, _ columns: Int) {
    var size = winsize(
      ws_row: 24, ws_col: UInt16(truncatingIfNeeded: columns), ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(terminal, UInt(TIOCSWINSZ), &size)
  }

  /// Changes the number of columns, as a user does who pulls at the window.
  func resize(_ columns: Int) { Self.resize(master, columns) }

  /// Stops the terminal as Ctrl-S does, or lets it go on as Ctrl-Q does.
  func setStopped(_ isStopped: Bool) {
    let terminal = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC)
    defer { close(terminal) }
    _ = tcflow(terminal, isStopped ? TCOOFF : TCOON)
  }

  func signal(_ number: CInt) { kill(process, number) }

  /// Everything that was written to the terminal so far, with plain newlines.
  var text: String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(master, &buffer, buffer.count)
      guard count > 0 else { break }
      // A terminal puts a carriage return before each newline.
      for byte in buffer[..<count] {
        if byte == UInt8(ascii: "\n"), bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// What was shown between two erasings, each by itself.
  var frames: [String] { text.components(separatedBy: Self.erasing) }

  /// Waits until the terminal's text is as the condition wants it.
  func wait(for what: String, _ condition: (String) -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition(text) {
      guard ContinuousClock.now < deadline else {
        throw BuiltProgram.Fault(
          description: "waited for \(what); it shows \(text.debugDescription)")
      }
      usleep(5_000)
    }
  }

  /// Waits until so many frames were drawn.
  func waitForFrames(_ count: Int) throws {
    try wait(for: "\(count) frames") { $0.components(separatedBy: Self.erasing).count > count }
  }

  /// Waits for the end.
  func waitForEnd() throws -> BuiltProgram.End {
    try wait(for: "the end") { _ in isOver }
    return end ?? .exit(-1)
  }

  private var isOver: Bool {
    var status: CInt = 0
    guard end == nil, waitpid(process, &status, WNOHANG) == process else { return end != nil }
    end = status & 0x7F == 0 ? .exit((status >> 8) & 0xFF) : .signal(status & 0x7F)
    return true
  }

  deinit {
    if end == nil {
      kill(process, SIGKILL)
      var status: CInt = 0
      waitpid(process, &status, 0)
    }
    close(master)
  }
}
