#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Keeps two programs from starting one cluster at the same time.
///
/// The server's own lock file would let one of them in, but the other could not tell a server that
/// is being started from one that failed.
enum StartLock {
  /// How often it is tried, in milliseconds.
  private static let pause: Int32 = 20

  /// Calls `body` while no other program holds the lock on the data directory.
  ///
  /// - Throws: ``PGError`` `-Cout` if another program keeps it too long, `-C000` if the directory
  ///   cannot be opened, and what `body` throws.
  static func hold<Result>(
    on directory: DataDirectory, until deadline: Deadline, _ body: () throws(PGError) -> Result
  ) throws(PGError) -> Result {
    let file = try open(directory)
    // A file system that knows no locks has none to wait for.
    while flock(file.descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      if deadline.hasPassed {
        throw .clusterTimeout("another program is still starting \"\(directory.path)\"")
      }
      poll(nil, 0, pause)
    }
    return try body()
  }

  private static func open(_ directory: DataDirectory) throws(PGError) -> OpenFile {
    do throws(SystemError) {
      return try OpenFile(opening: directory.path, O_RDONLY | O_DIRECTORY)
    } catch {
      throw .cluster("could not open \"\(directory.path)\"", error)
    }
  }
}
