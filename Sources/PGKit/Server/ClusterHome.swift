#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The directory in which PGKit remembers: templates of data directories, throwaway clusters that
/// exist, installations that it has met.
///
/// `PGKIT_CLUSTER_HOME` names it. Otherwise it is `pgkit` in `XDG_CACHE_HOME` or `~/.cache`; for
/// root `/var/cache/pgkit/clusters`; where there is no home,
/// a directory of the user's own beside the temporary files. Nothing in it is needed: whoever
/// removes it loses time and nothing else, as long as no throwaway cluster exists.
struct ClusterHome: Sendable {
  let path: String

  /// Finds the directory, or makes it.
  ///
  /// - Throws: ``PGError`` `-C000` if it cannot be made, or belongs to somebody else who could
  ///   change what is read from it.
  static func find() throws(PGError) -> ClusterHome {
    let environment = ProcessEnvironment.current
    var failure: PGError?
    for candidate in candidates(environment) {
      do throws(PGError) {
        try make(candidate)
        return ClusterHome(path: candidate)
      } catch { failure = failure ?? error }
      // What is named is taken or nothing.
      if environment["PGKIT_CLUSTER_HOME"]?.isEmpty == false { break }
    }
    throw failure ?? .cluster("no directory to remember clusters in was found")
  }

  private static func candidates(_ environment: [String: String]) -> [String] {
    func named(_ name: String) -> String? {
      environment[name].flatMap { $0.hasPrefix("/") ? AbsolutePath.text(of: $0) : nil }
    }
    if let home = environment["PGKIT_CLUSTER_HOME"], !home.isEmpty {
      return [AbsolutePath.text(of: home)]
    }
    var result: [String] = []
    if geteuid() == 0 { result.append("/var/cache/pgkit/clusters") }
    if let cache = named("XDG_CACHE_HOME") { result.append(cache + "/pgkit") }
    if let home = named("HOME"), home != "/" { result.append(home + "/.cache/pgkit") }
    return result + ["\(named("TMPDIR") ?? "/tmp")/pgkit-home-\(geteuid())"]
  }

  /// Makes a directory and those above it.
  private static func make(_ path: String) throws(PGError) {
    if mkdir(path, 0o700) != 0, errno == ENOENT {
      try makeParents(AbsolutePath.parent(of: path))
      mkdir(path, 0o700)
    }
    try checkOwner(of: path)
    try checkParents(of: path)
    guard access(path, W_OK | X_OK) == 0 else {
      throw .cluster("could not use \"\(path)\"", Syscalls.lastError(of: "access"))
    }
  }

  /// Refuses what is not a directory of the caller's own, a link to one included: whoever could
  /// write to it would choose what is removed, and copied.
  private static func checkOwner(of path: String) throws(PGError) {
    let status: FileStatus
    do { status = try FileStatus(of: path, followingLinks: false) } catch {
      throw .cluster("could not make \"\(path)\"", error)
    }
    guard status.isDirectory, status.userID == geteuid(), status.mode & 0o022 == 0 else {
      throw .cluster(
        "\"\(path)\" is no directory that only you can write to",
        hint: "Name another one in PGKIT_CLUSTER_HOME.")
    }
  }

  /// Refuses a directory that others could put another one in the place of.
  private static func checkParents(of path: String) throws(PGError) {
    let own = AbsolutePath.resolved(path) ?? path
    for path in Set([path, own]) {
      var parent = path
      repeat {
        parent = AbsolutePath.parent(of: parent)
        guard let status = try? FileStatus(of: parent), isOpenToOthers(status) else { continue }
        throw .cluster(
          "others can write to \"\(parent)\", and so replace \"\(path)\"",
          hint: "Name another directory in PGKIT_CLUSTER_HOME.")
      } while parent != "/"
    }
  }

  /// A group of the caller's own is how systems with such groups set directories up.
  private static func isOpenToOthers(_ status: FileStatus) -> Bool {
    if status.mode & S_ISVTX != 0 { return false }
    let isOwnGroup = status.groupID == 0 || status.groupID == getegid()
    return status.mode & 0o002 != 0 || status.mode & 0o020 != 0 && !isOwnGroup
  }

  private static func makeParents(_ path: String) throws(PGError) {
    guard path != "/" else { return }
    if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT else {
      throw .cluster("could not make \"\(path)\"", Syscalls.lastError(of: "mkdir"))
    }
    try makeParents(AbsolutePath.parent(of: path))
    if mkdir(path, 0o755) != 0, errno != EEXIST {
      throw .cluster("could not make \"\(path)\"", Syscalls.lastError(of: "mkdir"))
    }
  }

  /// A directory in it, made if it is missing.
  func directory(_ name: String, mode: mode_t) throws(PGError) -> String {
    let path = "\(path)/\(name)"
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw .cluster("could not make \"\(path)\"", Syscalls.lastError(of: "mkdir"))
    }
    try Self.checkOwner(of: path)
    return path
  }

  /// A short name for a long key.
  ///
  /// Names may coincide; whoever uses one compares the whole key.
  ///
  /// FNV-1a, because loading a library of digests takes longer than starting without one.
  static func shortName(of key: String) -> String {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in key.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    return String(hash, radix: 36)
  }
}
