internal import Glibc

/// A whole file, or stdin, for a program that was told to read it.
public enum TextFile {
  /// The largest file: a script is kept in memory.
  public static let limit = 1 << 30

  /// Reads it; `-` is stdin.
  ///
  /// - Throws: ``Failure`` with status 1, naming the file and the reason.
  public static func read(_ path: String, program: String) throws(Failure) -> [UInt8] {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(path, errno, program) }
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }
    return try read(descriptor, path, program)
  }

  /// Reads what comes from a descriptor that the program was given, and closes it.
  ///
  /// - Throws: ``Failure`` with status 1, naming the descriptor and the reason.
  public static func read(descriptor: CInt, program: String) throws(Failure) -> [UInt8] {
    guard descriptor >= 0 else { throw failure("descriptor \(descriptor)", EBADF, program) }
    defer { if descriptor != STDIN_FILENO { close(descriptor) } }
    return try read(descriptor, "descriptor \(descriptor)", program)
  }

  private static func read(
    _ descriptor: CInt, _ path: String, _ program: String
  ) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = piece.withUnsafeMutableBytes { Descriptor.read(into: $0, from: descriptor) }
      if count == 0 { return bytes }
      if count < 0 { throw failure(path, CInt(truncatingIfNeeded: -count), program) }
      bytes += piece.prefix(count)
      if bytes.count > limit { throw failure(path, EFBIG, program) }
    }
  }

  private static func failure(_ path: String, _ fault: CInt, _ program: String) -> Failure {
    let name = path == "-" ? "stdin" : path
    return Failure(
      .localFailure,
      Diagnostic(program: program, message: "\(name): \(Descriptor.reason(fault))"))
  }
}
