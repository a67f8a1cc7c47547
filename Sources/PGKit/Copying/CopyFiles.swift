/// The data of a file of this machine.
///
/// In py-postgresql, an `IteratorProducer` over the file's pieces.
public final class FileProducer: CopyProducer {
  private static let pieceSize = 64 * 1024
  private let file: LocalFile

  /// Opens the file.
  ///
  /// - Throws: ``PGError`` with the system's reason as its cause.
  public init(path: String) throws(PGError) {
    do throws(SystemError) { file = try LocalFile(reading: path) } catch {
      throw .file(path, error)
    }
  }

  /// The next piece, or `nil` at the end.
  public func next() throws(PGError) -> CopyPiece? {
    do throws(SystemError) {
      let bytes = try file.read(upTo: Self.pieceSize)
      return bytes.isEmpty ? nil : .bytes(bytes)
    } catch { throw .file(file.path, error) }
  }

  /// Unknown: the pieces need not be rows.
  public var rowCount: Int? { nil }

  /// Does nothing.
  public func stop() {}
}

/// A file of this machine that holds all of the data, or is not there.
///
/// It is written under another name beside it and gets its own when it is whole and on the disk; one
/// that was there before is then replaced.
public final class FileReceiver: CopyReceiver {
  private let path: String
  private let file: LocalFile
  private var isOver = false

  /// Makes the file that becomes `path`.
  ///
  /// - Throws: ``PGError`` with the system's reason as its cause; or if `path` is a device, a pipe or a
  ///   directory, which a file cannot take the place of.
  public init(path: String) throws(PGError) {
    guard LocalFile.isReplaceable(path) else {
      throw PGError(
        code: .ioError, message: "\(path) is no file, and one would take its place", fault: .caller,
        hint: "data goes to a device or a pipe by standard output: > \(path)")
    }
    self.path = path
    let part = "\(path).part-\(UInt64.random(in: 0...UInt64.max))"
    do throws(SystemError) { file = try LocalFile(creating: part) } catch {
      throw .file(part, error)
    }
  }

  deinit { if !isOver { file.remove() } }

  /// Writes a piece.
  public func write(_ piece: CopyPiece) throws(PGError) {
    var failure: SystemError?
    piece.forEach { bytes in
      if failure != nil { return }
      do throws(SystemError) { try file.write(bytes) } catch { failure = error }
    }
    if let failure { throw .file(path, failure) }
  }

  /// Yes.
  public var takesJoinedRows: Bool { true }

  /// Does nothing.
  public func end() throws(PGError) {}

  /// Gives the file its name.
  public func finish() throws(PGError) -> Int? {
    do throws(SystemError) { try file.finish(as: path) } catch { throw .file(path, error) }
    isOver = true
    return nil
  }

  /// Takes the file away.
  public func fail(_ reason: String) {
    if !isOver { file.remove() }
    isOver = true
  }
}

extension PGError {
  @inline(never)
  static func file(_ path: String, _ error: SystemError) -> PGError {
    PGError(
      code: .ioError, message: "\(path): \(error.text)", fault: .caller, cause: error)
  }
}
