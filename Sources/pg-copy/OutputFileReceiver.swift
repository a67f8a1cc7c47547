internal import PGCommandLine
internal import PGKit

/// A file that has its name only when its receiver is committed.
final class OutputFileReceiver: CopyReceiver {
  private let file: OutputFile
  private var gathered: [UInt8] = []

  /// Makes the file that becomes `path`.
  ///
  /// - Throws: ``PGError`` if it cannot be made, or if `path` is a device, a pipe or a directory, which
  ///   would keep what is written when the others commit nothing.
  init(_ path: String) throws(PGError) {
    guard OutputFile.isReplaceable(path) else {
      throw PGError(
        code: .ioError, message: "\(path) is no file, and one would take its place",
        fault: .caller, hint: "data goes to a device or a pipe by standard output: > \(path)")
    }
    do throws(Failure) { file = try OutputFile(path, program: CopyCommand.program) } catch {
      throw PGError(
        code: .ioError, message: "\(path) cannot be made", fault: .caller, cause: error)
    }
  }

  func write(_ piece: CopyPiece) throws(PGError) {
    gathered.removeAll(keepingCapacity: true)
    piece.forEach { gathered.append(contentsOf: $0) }
    try write(gathered)
  }

  func write(_ bytes: [UInt8]) throws(PGError) {
    do { try bytes.withUnsafeBytes { try file.output.write($0) } } catch { throw .output(error) }
  }

  var takesJoinedRows: Bool { true }

  func end() throws(PGError) {}

  /// Everything must be on the disk before any receiver commits.
  func finish() throws(PGError) -> Int? {
    do { try file.settle() } catch { throw .output(error) }
    return nil
  }

  /// Gives it its name.
  ///
  /// - Throws: ``PGError`` with the failure as its cause.
  func publish() throws(PGError) {
    do { try file.publish() } catch { throw .output(error) }
  }

  func fail(_ reason: String) { file.abandon() }
}
