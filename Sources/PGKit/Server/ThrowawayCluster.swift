internal import CSpawn

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
  /// The process group of the command that was run with it.
  private let command: Int32?
  private let recordPath: String
  private let identity: (device: UInt64, inode: UInt64)?
  /// Where it was made, as ``ThrowawayRecord/origin``.
  private let origin: String?

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
    command = number("command")
    origin = file["origin"]
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
  public var isThere: Bool {
    if case .made? = try? find() { true } else { false }
  }

  /// Whether somebody looks after it: its maker or its supervisor.
  public var isHeld: Bool { ThrowawayRecord.takeOver(recordPath) == nil }

  /// What stands where the directory was made.
  private enum Finding {
    /// Nothing.
    case nothing
    /// The directory that was made.
    case made(DirectoryIdentity)
    /// A directory of which nobody knows whether it is the one. A maker that was killed at once has
    /// not written that; then it is empty.
    case unknown
  }

  /// Looks for the directory; only that there is none counts as gone.
  private func find() throws(PGError) -> Finding {
    guard AbsolutePath.name(of: directory) == AbsolutePath.name(of: recordPath) else {
      throw .cluster(
        "the record \"\(recordPath)\" does not name a directory of its own name; nothing is removed",
        hint: "Remove the record if there is no such cluster.")
    }
    let status: FileStatus
    do { status = try FileStatus(of: directory, followingLinks: false) } catch {
      guard error.number == ENOENT else {
        throw .cluster("could not look at \"\(directory)\"", error)
      }
      if Self.isElsewhere(origin) {
        throw .cluster("\"\(directory)\" was made where other file systems are mounted")
      }
      return .nothing
    }
    guard status.isDirectory else {
      throw .cluster("\"\(directory)\" is not a directory any more; it is left alone")
    }
    guard let identity else { return .unknown }
    let found = try DirectoryIdentity(directory)
    guard UInt64(truncatingIfNeeded: found.device) == identity.device,
      UInt64(truncatingIfNeeded: found.inode) == identity.inode
    else {
      throw .cluster("\"\(directory)\" is not the directory that was made there; it is left alone")
    }
    return .made(found)
  }

  /// Whether a record was made by a process that sees other file systems, as in another container,
  /// since this system was started: what is not to be seen from here may be there.
  private static func isElsewhere(_ origin: String?) -> Bool {
    guard let there = origin?.split(separator: " "), there.count == 2 else { return false }
    let here = ThrowawayRecord.origin.split(separator: " ")
    return here.count == 2 && here[0] == there[0] && here[1] != there[1]
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
  ///   - deadline: When it is left off, wherever that is; the next one goes on.
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
        if case .nothing? = try? cluster.find(), !isTrial { record.remove() }
        continue
      }
      result.append((cluster.directory, cluster.collect(record, isTrial, until: deadline)))
    }
    return result
  }

  /// How long a command that nobody waits for may take to obey SIGTERM.
  private static let commandPatience = Duration.seconds(2)

  private func collect(
    _ record: ThrowawayRecord, _ isTrial: Bool, until deadline: Deadline
  ) -> Outcome {
    do throws(PGError) {
      let finding = try find()
      if isTrial { return .removable }
      var processes = 0
      switch finding {
      case .nothing: processes = endCommand(until: deadline)
      case .made(let found):
        processes = endCommand(until: deadline) + found.endResidents(until: deadline)
        try found.removePatiently(until: deadline)
      case .unknown: try removeEmpty()
      }
      record.remove()
      return .removed(processes: processes)
    } catch {
      return .skipped(error.message)
    }
  }

  /// Ends what is left of the command, by which is known whose it is; returns how many groups that were.
  private func endCommand(until deadline: Deadline) -> Int {
    guard let command else { return 0 }
    let patience = Deadline.after(Self.commandPatience).earlier(deadline).pollTimeout
    return pgkit_end_command(directory, command, patience) == 0 ? 0 : 1
  }

  /// Removes a cluster that was kept, and that nobody looks after; its server must not run.
  ///
  /// - Returns: How many bytes were in its directory.
  /// - Throws: ``PGError`` `-C000` if somebody looks after it, its server runs, or something stays.
  public func drop() throws(PGError) -> UInt64 {
    guard let record = ThrowawayRecord.takeOver(recordPath) else {
      throw .cluster(
        "somebody still looks after the throwaway cluster in \"\(directory)\"",
        hint: "It goes with its owner, or when its time is over.")
    }
    if case .running(let file) = try dataDirectory.status() {
      throw .cluster(
        "the server in \"\(directory)\" runs (process \(file.processID))", hint: "Stop it first.")
    }
    var size: UInt64 = 0
    switch try find() {
    case .nothing: break
    case .made(let found):
      size = found.contentSize
      found.endResidents()
      try found.removePatiently()
    case .unknown: try removeEmpty()
    }
    record.remove()
    return size
  }

  private func removeEmpty() throws(PGError) {
    if rmdir(directory) == 0 || errno == ENOENT { return }
    throw .cluster(
      "\"\(directory)\" is not known to be the directory that was made there",
      Syscalls.lastError(of: "rmdir"))
  }
}
