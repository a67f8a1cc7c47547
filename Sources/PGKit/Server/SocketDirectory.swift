#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The short directory, open to its owner alone, in which a server's socket lies.
///
/// A socket's whole path must fit into about a hundred bytes, whatever the data directory is
/// called, so the socket never lies there.
enum SocketDirectory {
  /// The longest path of a socket, without its zero byte.
  static let longestPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
  /// How a socket is named for the longest port.
  private static let longestName = "/.s.PGSQL.65535"
  /// How much `/pgkit-` and what makes a name unique may take.
  private static let longestOwnName = 48
  /// How many names are tried where somebody else has taken the first.
  private static let attempts = 20

  /// Whether a socket in `directory` can be addressed.
  static func fits(_ directory: String) -> Bool {
    directory.utf8.count + longestName.utf8.count <= longestPath
  }

  /// Refuses a directory whose sockets could not be addressed.
  static func checkLength(_ directory: String) throws(PGError) {
    if fits(directory) { return }
    let limit = longestPath - longestName.utf8.count
    throw .cluster(
      "the socket directory's path is \(directory.utf8.count) bytes long, "
        + "but only \(limit) can be addressed: \"\(directory)\"",
      hint: "Choose a shorter directory.")
  }

  /// The directory in which throwaway things are made, as `user` may pass through to it.
  static func base(for user: ServerUser?, mustBeShort: Bool = true) throws(PGError) -> String {
    let environment = ProcessEnvironment.current
    var candidates: [String] = []
    // The runtime directory belongs to the caller alone; another user could not enter it.
    if user == nil, mustBeShort { candidates += [environment["XDG_RUNTIME_DIR"]].compactMap { $0 } }
    candidates += [environment["TMPDIR"] ?? "/tmp", "/tmp", "/var/tmp"]
    for candidate in candidates where isUsable(candidate, user, mustBeShort) {
      return AbsolutePath.text(of: candidate)
    }
    throw .cluster(
      "no directory for temporary files can be used; looked at "
        + candidates.map { "\"\($0)\"" }.joined(separator: ", "),
      hint: "Name a short directory that the server's user may write to in TMPDIR.")
  }

  static func isUsable(_ path: String, _ user: ServerUser?, _ mustBeShort: Bool) -> Bool {
    guard path.hasPrefix("/"), let status = try? FileStatus(of: path), status.isDirectory else {
      return false
    }
    if mustBeShort, !fits(path + String(repeating: "-", count: longestOwnName)) { return false }
    if let user, user.firstImpassable(to: path + "/x") != nil { return false }
    return access(path, W_OK | X_OK) == 0
  }

  /// Makes the directory for a cluster's sockets, or finds it again.
  ///
  /// Its name comes from the data directory's identity, so that a crash leaves one at most. A
  /// directory of that name that is not ours is not used: its owner could replace the socket.
  static func make(for directory: String, user: ServerUser?) throws(PGError) -> DirectoryIdentity {
    let base = try base(for: user)
    let name = try name(for: directory)
    for attempt in 0..<attempts {
      let path = attempt == 0 ? "\(base)/\(name)" : "\(base)/\(name)-\(attempt)"
      do throws(PGError) { return try DirectoryIdentity.make(path, owner: user) } catch {
        guard (error.cause as? SystemError)?.number == EEXIST else { throw error }
      }
      if isOurs(path, user) { return try DirectoryIdentity(path) }
    }
    return try DirectoryIdentity.makeUnique(under: base, prefix: name, owner: user)
  }

  /// How every directory begins that is made here for the sockets of the cluster in `directory`, as
  /// long as that stands.
  static func name(for directory: String) throws(PGError) -> String {
    do {
      let status = try FileStatus(of: directory)
      let device = String(UInt64(truncatingIfNeeded: status.device), radix: 36)
      return "pgkit-\(device)-\(String(UInt64(truncatingIfNeeded: status.inode), radix: 36))"
    } catch {
      throw .cluster("could not look at \"\(directory)\"", error)
    }
  }

  private static func isOurs(_ path: String, _ user: ServerUser?) -> Bool {
    guard let status = try? FileStatus(of: path, followingLinks: false) else { return false }
    return status.isDirectory && status.mode & 0o077 == 0
      && status.userID == user?.userID ?? geteuid()
  }

  /// Removes a directory if it was made here for the cluster of that ``name(for:)`` and nothing is
  /// left in it; one that the user has chosen stays, whatever it is called.
  static func removeIfEmpty(_ path: String, of cluster: String?) {
    if isMade(path, for: cluster) { rmdir(path) }
  }

  /// Removes what a crashed server has left in such a directory, and the directory.
  static func removeLeftovers(in path: String, of cluster: String?, port: Int?) {
    guard isMade(path, for: cluster) else { return }
    if let port {
      for suffix in ["", ".lock"] { unlink("\(path)/.s.PGSQL.\(port)\(suffix)") }
    }
    rmdir(path)
  }

  private static func isMade(_ path: String, for cluster: String?) -> Bool {
    guard let cluster, let name = path.split(separator: "/").last else { return false }
    return name == cluster || name.hasPrefix(cluster + "-")
  }
}
