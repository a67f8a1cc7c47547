internal import Glibc
internal import Synchronization

/// The place of everything that is not data.
public enum StandardError {
  /// Whether a line that is not finished stands at the bottom of the terminal.
  private static let hasLine = Mutex(false)

  /// Prints lines with one write, so that the lines of several programs do not mix.
  ///
  /// That nobody reads them changes nothing: what the program does, and its status, are not about them.
  public static func print(_ text: String) {
    let line = text.hasSuffix("\n") ? text : text + "\n"
    hasLine.withLock { hasLine in
      write(hasLine ? erasing + line : line)
      hasLine = false
    }
  }

  /// Passes on what another program has said, as it said it.
  public static func pass(on bytes: UnsafeRawBufferPointer) {
    removeLine()
    _ = Descriptor.writeQuietly(bytes, to: STDERR_FILENO)
  }

  // MARK: A line that changes

  /// Back to the beginning of the line, and away with what stands there.
  private static let erasing = "\r\u{1B}[K"

  /// Whether it is a terminal that can show a line again and again.
  public static var showsLines: Bool {
    guard isatty(STDERR_FILENO) == 1, let name = getenv("TERM") else { return false }
    return !["", "dumb"].contains(String(cString: name))
  }

  /// How many columns the terminal has; 80 where it does not say.
  public static var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// Shows a line in the place of the one before; what is printed next takes its place.
  ///
  /// A terminal that is stopped is not waited for: the next line shows more.
  ///
  /// - Parameter line: One that fits.
  public static func show(line: String) {
    hasLine.withLock { hasLine in
      guard Descriptor.hasRoom(STDERR_FILENO) else { return }
      write(erasing + line)
      hasLine = true
    }
  }

  /// Takes the line away.
  public static func removeLine() {
    hasLine.withLock { hasLine in
      if hasLine { write(erasing) }
      hasLine = false
    }
  }

  /// Takes the line away as the last act of a process: where a terminal is stopped, another thread may wait
  /// for it in the middle of a line, and is not waited for.
  static func removeLineAtOnce() {
    let hadLine = hasLine.withLockIfAvailable { hasLine in
      defer { hasLine = false }
      return hasLine
    }
    if hadLine == true { write(erasing) }
  }

  private static func write(_ text: String) {
    var text = text
    text.withUTF8 { _ = Descriptor.writeQuietly(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
  }
}
