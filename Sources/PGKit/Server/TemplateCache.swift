internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// initdb takes half a second and makes the same files every time. So what it has made once is kept,
// under a key of everything that decides about it, and copied from then on.
//
// A template appears by one rename, when it is whole, under a lock that the first to need it holds
// while the others wait. Its files are not forced to the disk: a template that was made before the
// system was started last is not trusted but made anew, because power may have failed since.

/// Data directories as initdb makes them, to be copied.
struct TemplateCache: Sendable {
  private let folder: String

  /// Templates that nobody has used for so many seconds are removed.
  private static let longestUnused: Int64 = 30 * 86_400
  /// So many are kept at most.
  private static let limit = 12

  init() throws(PGError) {
    folder = try ClusterHome.find().directory("templates", mode: 0o700)
    try checkLocks()
  }

  /// Without locks two could make one template, or one use what another removes.
  private func checkLocks() throws(PGError) {
    do throws(SystemError) {
      let file = try OpenFile(opening: folder, O_RDONLY | O_DIRECTORY)
      if flock(file.descriptor, LOCK_SH | LOCK_NB) == 0 || errno == EWOULDBLOCK { return }
      throw Syscalls.lastError(of: "flock")
    } catch {
      throw .cluster("could not lock anything in \"\(folder)\"", error)
    }
  }

  /// What decides about the files that initdb makes.
  static func key(
    _ installation: Installation, _ options: Cluster.InitOptions, _ user: ServerUser?
  ) -> String {
    let programs = ["postgres", "initdb"].map { name in
      let path = "\(installation.binaryDirectory)/\(name)"
      return "\(path) \(FileIdentity.text(of: path))"
    }
    let arguments = options.initDBArguments("", passwordFile: nil)
    let parts =
      ["3", installation.version, bootIdentity, libraryVersion, String(user?.userID ?? geteuid())]
      + programs + timeZone + shared(by: installation) + arguments
    return parts.joined(separator: "\n")
  }

  /// The files from which initdb makes the catalogues and the configuration.
  private static func shared(by installation: Installation) -> [String] {
    guard let folder = installation.shareDirectory else { return [] }
    let names = ((try? FolderListing.names(in: folder)) ?? []).sorted()
    return ["shared \(folder)"]
      + (names + ["extension/plpgsql.control"]).map { name in
        "\(name) \(FileIdentity.text(of: "\(folder)/\(name)"))"
      }
  }

  /// What initdb writes into `postgresql.conf` as the time zone comes from these.
  private static var timeZone: [String] {
    let path = "/etc/localtime"
    return [
      "TZ \(ProcessEnvironment.current["TZ"] ?? "-")",
      "\(path) \(SymbolicLink.target(path) ?? "-") \(FileIdentity.text(of: path))",
    ]
  }

  /// Changes each time the system is started.
  static var bootIdentity: String {
    ((try? OpenFile.text(of: "/proc/sys/kernel/random/boot_id", limit: 64)) ?? "")
      .filter { !$0.isNewline }
  }

  /// Locales sort as the C library of the day has them.
  private static var libraryVersion: String {
    var text = [CChar](repeating: 0, count: 64)
    let length = pgkit_library_version(&text, text.count)
    return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Calls `body` with a template of that key, which stays as long as that takes; `make` fills a new
  /// directory below `place` if there is none yet.
  ///
  /// Places are thrown away with what the maker throws away, should it be killed.
  ///
  /// - Returns: `nil` when `body` was called; otherwise why a template can be kept nowhere, as where a disk
  ///   is full.
  /// - Throws: ``PGError`` `-Cout` if somebody else makes it and takes too long; what `make` and
  ///   `body` throw.
  func withTemplate(
    key: String, place: String, owner: ServerUser?, until deadline: Deadline,
    make: (String) throws(PGError) -> Void, _ body: (Template) throws(PGError) -> Void
  ) throws(PGError) -> PGError? {
    let name = ClusterHome.shortName(of: key)
    let (path, lockPath) = ("\(folder)/\(name)", "\(folder)/\(name).lock")
    while true {
      let lock: OpenFile
      do throws(PGError) { lock = try openLock(lockPath) } catch { return error }
      if isTemplate(path, of: key) {
        try hold(lock, LOCK_SH, until: deadline)
        if isCurrent(lock, lockPath), isTemplate(path, of: key) {
          // When it was used last; where that cannot be noted it may be removed too early.
          futimens(lock.descriptor, nil)
          try body(Template(path: path))
          return nil
        }
      } else {
        try hold(lock, LOCK_EX, until: deadline)
        if isCurrent(lock, lockPath), !isTemplate(path, of: key),
          let obstacle = try build(path, key, "\(place)/\(name)", owner, make)
        {
          return obstacle
        }
      }
    }
  }

  /// How many bytes the template of that key takes, as it is stored; `nil` if there is none yet.
  func size(ofTemplate key: String) -> UInt64? {
    let path = "\(folder)/\(ClusterHome.shortName(of: key))"
    return isTemplate(path, of: key) ? Template(path: path).size : nil
  }

  private func openLock(_ path: String) throws(PGError) -> OpenFile {
    do throws(SystemError) {
      return try OpenFile(opening: path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
    } catch {
      throw .cluster("could not open \"\(path)\"", error)
    }
  }

  private func hold(_ lock: borrowing OpenFile, _ kind: Int32, until deadline: Deadline)
    throws(PGError)
  {
    var pause: Int32 = 1
    while flock(lock.descriptor, kind | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      guard errno == EWOULDBLOCK else {
        throw .cluster(
          "could not lock a template in \"\(folder)\"", Syscalls.lastError(of: "flock"))
      }
      if deadline.hasPassed {
        throw .clusterTimeout("another program is still making a template in \"\(folder)\"")
      }
      poll(nil, 0, pause)
      pause = min(pause * 2, 10)
    }
  }

  /// A lock file that was removed with its template in between locks nothing.
  private func isCurrent(_ lock: borrowing OpenFile, _ path: String) -> Bool {
    var (opened, there) = (stat(), stat())
    return fstat(lock.descriptor, &opened) == 0 && stat(path, &there) == 0
      && opened.st_ino == there.st_ino && opened.st_dev == there.st_dev
  }

  private func isTemplate(_ path: String, of key: String) -> Bool {
    (try? OpenFile.text(of: path + "/key")) == key
  }

  /// - Returns: Why it could not be kept, if it could not.
  private func build(
    _ path: String, _ key: String, _ place: String, _ owner: ServerUser?,
    _ make: (String) throws(PGError) -> Void
  ) throws(PGError) -> PGError? {
    let data = try DirectoryIdentity.makeApart(place, owner: owner)
    var failure: PGError?
    var obstacle: PGError?
    do throws(PGError) {
      try make(data.path)
      do throws(PGError) { try keep(data.path, as: path, key) } catch { obstacle = error }
    } catch { failure = error }
    do throws(PGError) { try data.remove() } catch { failure = failure ?? error }
    if let failure { throw failure }
    return obstacle
  }

  private func keep(_ data: String, as path: String, _ key: String) throws(PGError) {
    // Whoever was killed while making one has left a part; ours is the lock.
    for leftover in [path, path + ".new"] { try? remove(leftover) }
    let new = try DirectoryIdentity.make(path + ".new", owner: nil)
    do throws(PGError) {
      try Template(path: new.path).take(data)
      try finish(new, key, path)
    } catch {
      try? new.remove()
      throw error
    }
  }

  private func finish(_ new: DirectoryIdentity, _ key: String, _ path: String) throws(PGError) {
    do throws(SystemError) {
      try OpenFile.create(new.path + "/key", Array(key.utf8))
      guard rename(new.path, path) == 0 else { throw Syscalls.lastError(of: "rename") }
    } catch {
      throw .cluster("could not keep a template in \"\(folder)\"", error)
    }
  }

  private func remove(_ path: String) throws(PGError) {
    guard (try? FileStatus(of: path, followingLinks: false)) != nil else { return }
    try DirectoryIdentity(path).remove()
  }

  /// Removes templates that have not been used for long, or are too many, and what those have left who
  /// were killed while they made one.
  ///
  /// - Returns: How many were removed.
  @discardableResult
  func removeUnused(isTrial: Bool = false) -> Int {
    let names = ((try? FolderListing.names(in: folder)) ?? []).filter { $0.hasSuffix(".lock") }
    let uses = names.map { name -> (name: String, used: Int64) in
      var facts = stat()
      let isThere = stat("\(folder)/\(name)", &facts) == 0
      #if canImport(Darwin)
        return (name, isThere ? Int64(facts.st_mtimespec.tv_sec) : 0)
      #else
        return (name, isThere ? Int64(facts.st_mtim.tv_sec) : 0)
      #endif
    }
    let oldest = Int64(time(nil)) - Self.longestUnused
    let unused = uses.sorted { $0.used > $1.used }.enumerated()
      .filter { $0.offset >= Self.limit || $0.element.used < oldest }
    let partial = uses.map(\.name).filter(hasNoTemplate)
    let all = Set(unused.map(\.element.name)).union(partial)
    return all.count { isTrial ? !isHeld($0) : removeUnheld($0) }
  }

  /// Whether there is only a lock, and perhaps a part of a template.
  private func hasNoTemplate(_ lockName: String) -> Bool {
    (try? FileStatus(of: "\(folder)/\(lockName.dropLast(5))", followingLinks: false)) == nil
  }

  private func isHeld(_ lockName: String) -> Bool {
    guard let lock = try? openLock("\(folder)/\(lockName)") else { return true }
    return flock(lock.descriptor, LOCK_EX | LOCK_NB) != 0
  }

  private func removeUnheld(_ lockName: String) -> Bool {
    let lockPath = "\(folder)/\(lockName)"
    guard let lock = try? openLock(lockPath), flock(lock.descriptor, LOCK_EX | LOCK_NB) == 0,
      isCurrent(lock, lockPath)
    else { return false }
    let path = String(lockPath.dropLast(5))
    do throws(PGError) {
      for leftover in [path, path + ".new"] { try remove(leftover) }
      return unlink(lockPath) == 0
    } catch { return false }
  }
}
