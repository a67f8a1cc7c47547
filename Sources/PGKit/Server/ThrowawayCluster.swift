#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A throwaway cluster that is on record: whoever made it, and whether anybody still looks after it.
public struct ThrowawayCluster: Sendable {
  /// The directory in which everything of it is.
  public let directory: String
  /// Whether it was decided to keep it.
  public let isKept: Bool
  /// The process that made it.
  public let maker: Int32?
  /// When it was made, in seconds since 1970.
  public let made: Int64?
  /// The process with whose end it ends, if that is not its maker's.
  public let owner: Int32?
  /// How long it was to live, in seconds.
  public let lifetime: Int64?
  /// The server's version.
  public let version: String?
  private let recordPath: String
  private let identity: (device: UInt64, inode: UInt64)?
  private let userID: UInt32?

  /// A file that is longer is no record.
  private static let largest = 65_536

  /// Reads a record; `nil` if there is none, or it does not name a directory yet.
  init?(_ path: String) {
    guard let text = try? OpenFile.text(of: path, limit: Self.largest) else { return nil }
    let file = ConfigurationFile(parsing: text)
    guard let directory = file["directory"], directory.hasPrefix("/") else { return nil }
    func number<Number: FixedWidthInteger>(_ name: String) -> Number? {
      file[name].flatMap { Number($0) }
    }
    self.directory = directory
    recordPath = path
    isKept = file["kept"] != nil
    maker = number("maker")
    made = number("made")
    owner = number("follows")
    lifetime = number("lifetime")
    version = file["version"]
    userID = number("owner")
    let device: UInt64? = number("device")
    let inode: UInt64? = number("inode")
    identity = device.flatMap { device in inode.map { (device, $0) } }
  }

  /// All that are on record for this user.
  ///
  /// - Throws: ``PGError`` `-C000` if the records cannot be read.
  public static func all() throws(PGError) -> [ThrowawayCluster] {
    try recordPaths().compactMap { ThrowawayCluster($0) }
  }

  private static func recordPaths() throws(PGError) -> [String] {
    let folder = try ThrowawayRecord.folder()
    do throws(SystemError) {
      return try FolderListing.names(in: folder).sorted().map { "\(folder)/\($0)" }
    } catch {
      throw .cluster("could not read \"\(folder)\"", error)
    }
  }

  /// The data directory.
  public var dataDirectory: DataDirectory { DataDirectory(directory + "/data") }

  /// Whether the directory is there, and is the one that was made.
  public var isThere: Bool { (try? foundDirectory()) != nil }

  /// Whether somebody looks after it: its maker or its supervisor.
  public var isHeld: Bool { ThrowawayRecord.takeOver(recordPath) == nil }

  /// The directory, if it is the one that was made.
  ///
  /// A maker that was killed at once has not written which one it made. Its name was not to be
  /// guessed, so whoever owns it as they should owns it because of us.
  private func foundDirectory() throws(PGError) -> DirectoryIdentity? {
    guard let status = try? FileStatus(of: directory, followingLinks: false) else { return nil }
    guard status.isDirectory else {
      throw .cluster("\"\(directory)\" is not a directory any more; it is left alone")
    }
    if let identity {
      guard UInt64(truncatingIfNeeded: status.device) == identity.device,
        UInt64(truncatingIfNeeded: status.inode) == identity.inode
      else {
        throw .cluster("\"\(directory)\" is not the directory that was made there")
      }
    } else if status.userID != geteuid(), geteuid() != 0 {
      throw .cluster("\"\(directory)\" belongs to somebody else")
    }
    return try DirectoryIdentity(directory)
  }
}

// Sweeping up
extension ThrowawayCluster {
  /// What became of a cluster that nobody looks after.
  public enum Outcome: Sendable, Hashable {
    /// It is gone, with so many processes that still ran.
    case removed(processes: Int)
    /// It would be removed.
    case removable
    /// It stays, for this reason.
    case skipped(String)
  }

  /// Removes every throwaway cluster that nobody looks after any more: its processes, its shared
  /// memory, its directory and its record.
  ///
  /// Touched is only what the record names, if it is still the same.
  ///
  /// - Parameters:
  ///   - isTrial: Whether nothing is removed, only said what would be.
  ///   - deadline: When no further cluster is begun with.
  /// - Returns: Each such cluster's directory, and what became of it.
  /// - Throws: ``PGError`` `-C000` if the records cannot be read.
  @discardableResult
  public static func collect(
    isTrial: Bool = false, until deadline: Deadline = .never
  ) throws(PGError) -> [(directory: String, outcome: Outcome)] {
    var result: [(String, Outcome)] = []
    for path in try recordPaths() where !deadline.hasPassed {
      guard let record = ThrowawayRecord.takeOver(path) else { continue }
      guard let cluster = ThrowawayCluster(path) else {
        // Its maker was killed before it had made anything.
        if !isTrial { record.remove() }
        continue
      }
      if cluster.isKept {
        if !cluster.isThere, !isTrial { record.remove() }
        continue
      }
      result.append((cluster.directory, cluster.collect(record, isTrial)))
    }
    return result
  }

  private func collect(_ record: ThrowawayRecord, _ isTrial: Bool) -> Outcome {
    do throws(PGError) {
      guard let found = try foundDirectory() else {
        if !isTrial { record.remove() }
        return isTrial ? .removable : .removed(processes: 0)
      }
      if isTrial { return .removable }
      let processes = found.endResidents()
      try found.removePatiently()
      record.remove()
      return .removed(processes: processes)
    } catch {
      return .skipped(error.message)
    }
  }
}
