internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The data of a cluster as it was when it did not run, kept under a name, to be given back as often as
/// wanted.
///
/// Snapshots are beside PGKit's templates, in `PGKIT_CLUSTER_HOME`; they share blocks with what they are
/// made of where the file system can, and stay until they are removed.
public struct ClusterSnapshot: Sendable, Hashable {
  /// The name that it was given.
  public let name: String
  /// Where its data is.
  public let dataDirectory: DataDirectory

  /// Names are files' names: longer ones would not fit together with what is put behind them.
  private static let longestName = 100
  /// How long a program may take that is about to start the cluster.
  private static let lockPatience = Duration.seconds(10)
  /// How long another program may take that saves, restores or removes.
  private static let patience = Duration.seconds(600)

  private init(name: String, in folder: String) {
    self.name = name
    dataDirectory = DataDirectory("\(folder)/\(name)/data")
  }

  private static func folder() throws(PGError) -> String {
    try ClusterHome.find().directory("snapshots", mode: 0o700)
  }

  /// Calls `body` while no other program touches snapshots; what one has left that was killed is put in
  /// order first.
  private static func withFolder<Result>(
    _ body: (String) throws(PGError) -> Result
  ) throws(PGError) -> Result {
    let folder = try folder()
    return try StartLock.hold(on: DataDirectory(folder), until: .after(patience)) {
      () throws(PGError) in
      for name in (try? FolderListing.names(in: folder)) ?? [] where name.hasPrefix(".") {
        // The old one of a name that was about to be replaced; the new one may not have come.
        let isOld = name.hasPrefix(oldPrefix)
        let place = "\(folder)/\(name.dropFirst(oldPrefix.count))"
        if isOld, rename("\(folder)/\(name)", place) == 0 { continue }
        try DirectoryIdentity("\(folder)/\(name)").remove()
      }
      return try body(folder)
    }
  }

  /// What the names of snapshots begin with while another takes their place.
  private static let oldPrefix = ".old."

  private static func check(_ name: String) throws(PGError) {
    let isName = name.utf8.allSatisfy {
      ASCII.isLetter($0) || ASCII.isDigit($0) || "-_.".utf8.contains($0)
    }
    guard isName, !name.isEmpty, name.utf8.count <= longestName, !name.hasPrefix(".") else {
      throw .cluster(
        "\"\(name)\" cannot be a snapshot's name",
        hint: "At most \(longestName) letters, digits, dashes, points and underscores can; "
          + "no point first.")
    }
  }

  /// Finds a snapshot; `nil` if there is none of that name.
  ///
  /// - Throws: ``PGError`` `-C000` for what is no name, or where snapshots cannot be looked for.
  public static func named(_ name: String) throws(PGError) -> ClusterSnapshot? {
    try check(name)
    let snapshot = ClusterSnapshot(name: name, in: try folder())
    return snapshot.dataDirectory.isInitialized ? snapshot : nil
  }

  /// Every snapshot, in the order of their names.
  ///
  /// - Throws: ``PGError`` `-C000` if they cannot be looked for.
  public static func all() throws(PGError) -> [ClusterSnapshot] {
    let folder = try folder()
    do {
      return try FolderListing.names(in: folder)
        .filter { !$0.hasPrefix(".") }
        .map { ClusterSnapshot(name: $0, in: folder) }
        .filter(\.dataDirectory.isInitialized)
    } catch { throw .cluster("could not read \"\(folder)\"", error) }
  }

  /// How much its files hold, in bytes.
  public var size: UInt64 {
    (try? DirectoryIdentity(dataDirectory.path))?.contentSize ?? 0
  }

  // MARK: Saving

  /// Keeps a cluster that does not run under a name.
  ///
  /// It appears by one rename when it is whole and on the disk. Whatever starts the cluster meanwhile
  /// waits.
  ///
  /// - Parameters:
  ///   - name: What it is to be called.
  ///   - data: The data directory to keep.
  ///   - replacing: Whether one of that name gives way.
  /// - Throws: ``PGError`` `-C000` if the cluster runs, keeps data elsewhere (tablespaces, a linked
  ///   `pg_wal`) or cannot be copied, or if there is a snapshot of that name; `-Cout` if another
  ///   program does not let go of it.
  public static func save(
    _ name: String, of data: DataDirectory, replacing: Bool = false
  ) throws(PGError) -> ClusterSnapshot {
    try check(name)
    guard data.isInitialized else { throw .cluster("there is no cluster in \"\(data.path)\"") }
    return try withFolder { folder throws(PGError) in
      if !replacing, ClusterSnapshot(name: name, in: folder).dataDirectory.isInitialized {
        throw .cluster(
          "there is a snapshot \"\(name)\" already", hint: "Remove it first, or replace it.")
      }
      return try save(name, of: data, in: folder)
    }
  }

  private static func save(
    _ name: String, of data: DataDirectory, in folder: String
  ) throws(PGError) -> ClusterSnapshot {
    try StartLock.hold(on: data, until: .after(lockPatience)) { () throws(PGError) in
      if case .running(let file) = try data.status() {
        throw .cluster(
          "the server in \"\(data.path)\" runs (process \(file.processID))", hint: "Stop it first.")
      }
      try checkPlaces(of: data)
      let new = try DirectoryIdentity.makeUnique(under: folder, prefix: ".new", owner: nil)
      do throws(PGError) {
        let copy = try DirectoryIdentity.make(new.path + "/data", owner: nil)
        try DirectoryCopy(source: data.path, destination: copy.path, owner: nil).copy()
        // A crash may have left it; the copy has no server.
        unlink(copy.path + "/postmaster.pid")
        try force(new.path)
        return try put(new, in: folder, as: name)
      } catch {
        try? new.remove()
        throw error
      }
    }
  }

  /// Data in other places would not be in the copy.
  private static func checkPlaces(of data: DataDirectory) throws(PGError) {
    let wal = data.path + "/pg_wal"
    if (try? FileStatus(of: wal, followingLinks: false))?.isLink == true {
      throw .cluster("\"\(wal)\" is a link: a snapshot would not hold what it leads to")
    }
    let spaces = (try? FolderListing.names(in: data.path + "/pg_tblspc")) ?? []
    guard spaces.isEmpty else {
      throw .cluster(
        "the cluster in \"\(data.path)\" has tablespaces: a snapshot would not hold their data")
    }
  }

  /// Puts what is whole in its place; what was there is removed afterwards.
  private static func put(
    _ new: DirectoryIdentity, in folder: String, as name: String
  ) throws(PGError) -> ClusterSnapshot {
    let path = "\(folder)/\(name)"
    let old = "\(folder)/\(oldPrefix)\(name)"
    _ = rename(path, old)
    guard rename(new.path, path) == 0 else {
      let reason = Syscalls.lastError(of: "rename")
      _ = rename(old, path)
      throw .cluster("could not keep snapshot \"\(name)\"", reason)
    }
    try (try? DirectoryIdentity(old))?.remove()
    return ClusterSnapshot(name: name, in: folder)
  }

  /// Has the file system write what it was given.
  private static func force(_ path: String) throws(PGError) {
    let number = pgkit_force(path)
    if number == 0 { return }
    throw .cluster(
      "could not force \"\(path)\" to the disk", SystemError(call: "syncfs", number: number))
  }

  // MARK: Giving back

  /// Makes a cluster of it in a new or empty directory, which belongs to the server's user.
  ///
  /// A new directory appears by one rename, when it is whole and on the disk.
  ///
  /// - Parameters:
  ///   - directory: Where the cluster is to be.
  ///   - runAs: The user that its server is to run as; only root may choose.
  /// - Throws: ``PGError`` `-C000` if there is something in the directory, or it cannot be copied.
  public func restore(to directory: String, runAs: String? = nil) throws(PGError) {
    let path = AbsolutePath.text(of: directory)
    switch try DataDirectory(path).status() {
    case .missing: break
    case .uninitialized where (try? FolderListing.names(in: path))?.isEmpty == true: break
    default:
      throw .cluster("\"\(path)\" is not empty", hint: "Name a new directory, or drop its cluster.")
    }
    let user = try ServerUser.choose(for: path, runAs: runAs)
    try Self.withFolder { _ throws(PGError) in
      guard dataDirectory.isInitialized else {
        throw .cluster("snapshot \"\(name)\" was removed meanwhile")
      }
      // One that is there, perhaps a mount point, cannot be replaced by another.
      guard (try? FileStatus(of: path)) == nil else { return try fill(path, user) }
      let part = "\(AbsolutePath.parent(of: path))/.\(AbsolutePath.name(of: path)).pgkit"
      try (try? DirectoryIdentity(part))?.remove()
      let new = try DirectoryIdentity.make(part, owner: user)
      do throws(PGError) {
        try fill(new.path, user)
        guard rename(new.path, path) == 0 else {
          throw PGError.cluster("could not make \"\(path)\"", Syscalls.lastError(of: "rename"))
        }
      } catch {
        try? new.remove()
        throw error
      }
    }
  }

  private func fill(_ path: String, _ user: ServerUser?) throws(PGError) {
    try DirectoryCopy(source: dataDirectory.path, destination: path, owner: user).copy()
    try Self.force(path)
  }

  /// Removes it.
  ///
  /// - Throws: ``PGError`` `-C000` if it cannot be removed.
  public func remove() throws(PGError) {
    try Self.withFolder { _ throws(PGError) in
      try DirectoryIdentity(AbsolutePath.parent(of: dataDirectory.path)).remove()
    }
  }
}
