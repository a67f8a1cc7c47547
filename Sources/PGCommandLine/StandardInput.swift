internal import Glibc

/// The lines of a program's stdin, read only when the command line asks for it.
public enum StandardInput {
  /// What one line may have; the rest of a longer one is dropped, and the line is marked.
  public static let maximumLineLength = 64 * 1024

  /// One line without its newline.
  public struct Line: Sendable {
    /// The bytes, at most ``StandardInput/maximumLineLength``.
    public let bytes: [UInt8]
    /// Whether the line was longer.
    public let isTruncated: Bool
  }

  /// Calls `body` with each line; a last line without a newline counts.
  ///
  /// - Parameter idle: Called before waiting for more, so that answers may be flushed.
  /// - Throws: ``Failure`` with status 1 if stdin cannot be read, and what the closures throw.
  public static func forEachLine(
    program: String, idle: () throws -> Void, _ body: (Line) throws -> Void
  ) throws {
    var line: [UInt8] = []
    var dropped = false
    var chunk = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
      try idle()
      let count = chunk.withUnsafeMutableBytes { Descriptor.read(into: $0, from: STDIN_FILENO) }
      guard count >= 0 else { throw failure(-count, program) }
      guard count > 0 else { break }
      var rest = chunk.prefix(count)
      while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        append(rest[..<end], to: &line, &dropped)
        try body(Line(bytes: line, isTruncated: dropped))
        line.removeAll(keepingCapacity: true)
        dropped = false
        rest = rest[(end + 1)...]
      }
      append(rest, to: &line, &dropped)
    }
    if !line.isEmpty { try body(Line(bytes: line, isTruncated: dropped)) }
  }

  /// Reads what is there, waiting for something.
  ///
  /// - Parameters:
  ///   - limit: The most bytes to read.
  ///   - isWanted: Asked several times a second while nothing comes; `false` ends the waiting.
  /// - Returns: At least one byte; `nil` at the end, or when it is not wanted any more.
  /// - Throws: ``Failure`` with status 1 if stdin cannot be read.
  public static func readPiece(
    upTo limit: Int, program: String, while isWanted: () -> Bool
  ) throws(Failure) -> [UInt8]? {
    repeat {
      guard isWanted() else { return nil }
    } while !Descriptor.waitToRead(STDIN_FILENO, milliseconds: 100)
    var fault = 0
    let piece = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      let result = Descriptor.read(into: UnsafeMutableRawBufferPointer(buffer), from: STDIN_FILENO)
      count = max(result, 0)
      fault = min(result, 0)
    }
    if fault < 0 { throw failure(-fault, program) }
    return piece.isEmpty ? nil : piece
  }

  /// Reads what is there into `buffer`, waiting for something; 0 is the end.
  ///
  /// - Throws: ``Failure`` with status 1 if stdin cannot be read.
  public static func read(
    into buffer: UnsafeMutableRawBufferPointer, program: String
  ) throws(Failure) -> Int {
    let count = Descriptor.read(into: buffer, from: STDIN_FILENO)
    if count < 0 { throw failure(-count, program) }
    return count
  }

  /// Waits until something can be read, or the end; returns whether that came in time.
  public static func waitToRead(milliseconds: Int) -> Bool {
    Descriptor.waitToRead(STDIN_FILENO, milliseconds: CInt(clamping: milliseconds))
  }

  private static func append(
    _ bytes: ArraySlice<UInt8>, to line: inout [UInt8], _ dropped: inout Bool
  ) {
    let room = maximumLineLength - line.count
    line += bytes.prefix(room)
    if bytes.count > room { dropped = true }
  }

  private static func failure(_ fault: Int, _ program: String) -> Failure {
    let reason = Descriptor.reason(CInt(truncatingIfNeeded: fault))
    return Failure(.localFailure, Diagnostic(program: program, message: "stdin: \(reason)"))
  }
}
