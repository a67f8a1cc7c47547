internal import Glibc

/// Reads a file, or stdin, line by line, in constant memory.
public final class LineReader {
  /// What one line may have at most.
  public static let lineLimit = 1 << 28

  /// What the file is called in messages.
  public let name: String
  private let program: String
  private let descriptor: CInt
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  private var isAtStart = true
  private let isWanted: () -> Bool
  /// How much is read at once.
  private static let pieceSize = 256 << 10

  /// Opens it; `-` is stdin.
  ///
  /// - Parameter isWanted: Asked several times a second while nothing comes; `false` is the end.
  /// - Throws: ``Failure`` with status 1 naming the file and the reason.
  public init(
    _ path: String, program: String, while isWanted: @escaping () -> Bool = { true }
  ) throws(Failure) {
    name = path == "-" ? "stdin" : path
    self.isWanted = isWanted
    self.program = program
    descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(Descriptor.reason(errno)) }
  }

  deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

  /// The next line with its newline, which the last may lack; `nil` at the end.
  ///
  /// A byte order mark at the beginning of the file is left out.
  ///
  /// - Throws: ``Failure`` with status 1 if the file cannot be read, or a line is too long.
  public func next() throws(Failure) -> ArraySlice<UInt8>? {
    guard let line = try readLine() else { return nil }
    defer { isAtStart = false }
    return isAtStart && line.starts(with: [0xEF, 0xBB, 0xBF]) ? line.dropFirst(3) : line
  }

  private func readLine() throws(Failure) -> ArraySlice<UInt8>? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        return buffer[start...end]
      }
      if isAtEnd {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        return buffer[start...]
      }
      guard buffer.count - start < Self.lineLimit else { throw failure("a line is too long") }
      let unread = buffer.count - start
      try fill()
      searched = start + unread
    }
  }

  private func fill() throws(Failure) {
    repeat {
      guard isWanted() else {
        isAtEnd = true
        return
      }
    } while !Descriptor.waitToRead(descriptor, milliseconds: 100)
    buffer.removeFirst(start)
    start = 0
    let old = buffer.count
    buffer.append(contentsOf: repeatElement(0, count: Self.pieceSize))
    let count = buffer.withUnsafeMutableBytes {
      Descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[old...]), from: descriptor)
    }
    buffer.removeLast(Self.pieceSize - max(count, 0))
    if count < 0 { throw failure(Descriptor.reason(CInt(truncatingIfNeeded: -count))) }
    isAtEnd = count == 0
  }

  private func failure(_ reason: String) -> Failure {
    Failure(.localFailure, Diagnostic(program: program, message: "\(name): \(reason)"))
  }
}
