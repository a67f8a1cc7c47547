#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the system says about a file.
struct FileStatus: Sendable {
  let device: dev_t
  let inode: ino_t
  let mode: mode_t
  let userID: uid_t
  let groupID: gid_t
  let size: Int64

  /// Asks about `path`, or about the link itself that stands there.
  init(of path: String, followingLinks: Bool = true) throws(SystemError) {
    var status = stat()
    let call = followingLinks ? "stat" : "lstat"
    guard (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else {
      throw Syscalls.lastError(of: call)
    }
    device = status.st_dev
    inode = status.st_ino
    mode = status.st_mode
    userID = status.st_uid
    groupID = status.st_gid
    size = Int64(status.st_size)
  }

  /// The permission bits.
  var permissions: UInt32 { UInt32(mode & 0o7777) }
  var isDirectory: Bool { mode & S_IFMT == S_IFDIR }
  var isLink: Bool { mode & S_IFMT == S_IFLNK }
  var isRegular: Bool { mode & S_IFMT == S_IFREG }

  /// Whether both are the same file.
  func isSame(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }

  /// Whether `path` is a regular file that this process may execute.
  static func isExecutable(_ path: String) -> Bool {
    guard let status = try? FileStatus(of: path), status.isRegular else { return false }
    return access(path, X_OK) == 0
  }

  /// Whether two paths lead to the same file, both being there.
  static func areSame(_ left: String, _ right: String) -> Bool {
    guard let left = try? FileStatus(of: left), let right = try? FileStatus(of: right) else {
      return false
    }
    return left.isSame(as: right)
  }
}
