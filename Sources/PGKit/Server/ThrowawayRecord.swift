#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Every throwaway cluster has a record from before its directory is made until after that is gone.
// Whoever looks after the cluster, the program that made it and its supervisor, holds a lock on the
// record; the system takes the lock away from the last of them, however they end. So a record that
// can be locked is one of a cluster that nobody looks after any more, and nothing else is.

/// The record of a throwaway cluster, open and locked by its holder.
///
/// It is written as a configuration file to which lines are added; the last line of a name counts.
final class ThrowawayRecord: Sendable {
  /// The record's own path.
  let path: String
  /// The directory in which everything of the cluster is.
  let directory: String
  private let file: OpenFile

  /// How many names are tried.
  private static let attempts = 20

  private init(_ path: String, _ directory: String, _ file: consuming OpenFile) {
    self.path = path
    self.directory = directory
    self.file = file
  }

  /// The record's descriptor, for the supervisor.
  var descriptor: Int32 { file.descriptor }

  /// Where records are.
  static func folder() throws(PGError) -> String {
    try ClusterHome.find().directory("throwaways", mode: 0o700)
  }

  /// Makes the record of a cluster that is about to be made under `base`.
  static func make(under base: String) throws(PGError) -> ThrowawayRecord {
    let folder = try folder()
    let base = AbsolutePath.resolved(base) ?? base
    for _ in 0..<attempts {
      let name = "pgkit-" + uniqueName()
      let (path, directory) = ("\(folder)/\(name)", "\(base)/\(name)")
      if (try? FileStatus(of: directory, followingLinks: false)) != nil { continue }
      do throws(SystemError) {
        let file = try OpenFile(
          opening: path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, mode: 0o600)
        // A collector may have taken the new record for an abandoned one before it was locked.
        guard lock(file) else {
          if errno == EWOULDBLOCK { continue }
          // A file system that knows no locks keeps no records.
          let refusal = Syscalls.lastError(of: "flock")
          unlink(path)
          throw refusal
        }
        guard isStill(path, file) else { continue }
        let record = ThrowawayRecord(path, directory, file)
        try record.add([
          ("directory", directory), ("maker", String(getpid())),
          ("made", String(Int64(time(nil)))), ("origin", Self.origin),
        ])
        return record
      } catch {
        if error.number == EEXIST { continue }
        throw .cluster("could not make a record in \"\(folder)\"", error)
      }
    }
    throw .cluster("could not find a free name for a cluster in \"\(base)\"")
  }

  /// Which start of the system this is, and which file systems this process sees: two words, or none
  /// where the system does not tell.
  static let origin: String = {
    let boot = TemplateCache.bootIdentity
    guard !boot.isEmpty, let mounts = SymbolicLink.target("/proc/self/ns/mnt") else { return "" }
    return "\(boot) \(mounts)"
  }()

  private static func uniqueName() -> String {
    var generator = SystemRandomNumberGenerator()
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    return String(
      (0..<8).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
  }

  private static func lock(_ file: borrowing OpenFile) -> Bool {
    flock(file.descriptor, LOCK_EX | LOCK_NB) == 0
  }

  /// Whether the file that was opened still stands at the path.
  private static func isStill(_ path: String, _ file: borrowing OpenFile) -> Bool {
    var (opened, there) = (stat(), stat())
    return fstat(file.descriptor, &opened) == 0 && lstat(path, &there) == 0
      && opened.st_dev == there.st_dev && opened.st_ino == there.st_ino
  }

  /// Takes over a record that nobody holds; `nil` if somebody does, or it is gone.
  static func takeOver(_ path: String) -> ThrowawayRecord? {
    guard let file = try? OpenFile(opening: path, O_RDWR | O_APPEND | O_NOFOLLOW), lock(file),
      isStill(path, file)
    else { return nil }
    let directory = ThrowawayCluster(path)?.directory ?? ""
    return ThrowawayRecord(path, directory, file)
  }

  /// Adds facts, which replace older ones of the same names.
  func add(_ facts: [(name: String, value: String?)]) throws(SystemError) {
    var text = ConfigurationFile()
    text.apply(facts)
    try file.write(text.bytes + [ASCII.newline])
  }

  /// Notes which directory was made, so that no other is ever taken for it.
  func add(_ directory: DirectoryIdentity, user: ServerUser?) throws(PGError) {
    do {
      try add([
        ("device", String(UInt64(truncatingIfNeeded: directory.device))),
        ("inode", String(UInt64(truncatingIfNeeded: directory.inode))),
        ("owner", String(user?.userID ?? geteuid())),
      ])
    } catch {
      throw .cluster("could not write the record \"\(path)\"", error)
    }
  }

  /// Removes the record: there is nothing left of its cluster.
  func remove() { unlink(path) }
}
