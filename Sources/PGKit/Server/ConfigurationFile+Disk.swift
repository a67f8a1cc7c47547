#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension ConfigurationFile {
  /// A file of more bytes than this is no configuration.
  private static let largest = 16 << 20

  /// Reads a file.
  ///
  /// - Throws: ``PGError`` `-C000` if it cannot be read or is larger than 16 MB.
  public init(reading path: String) throws(PGError) {
    do {
      let file = try OpenFile(opening: path, O_RDONLY)
      let bytes = try file.read(limit: Self.largest + 1)
      if bytes.count <= Self.largest {
        self.init(bytes: bytes)
        return
      }
    } catch {
      throw .cluster("could not read \"\(path)\"", error)
    }
    throw .cluster("\"\(path)\" is too large for a configuration file")
  }

  /// Writes the file, whole or not at all: beside its place first, then over it.
  ///
  /// The new file has the old one's owner, group and permissions; where that is not possible, as in
  /// somebody else's directory, it is not written. A link stays; what it leads to is
  /// replaced. A last line without an end gets one.
  ///
  /// - Throws: ``PGError`` `-C000` if it cannot be written; the old file is then untouched.
  public func write(to path: String) throws(PGError) {
    let target = AbsolutePath.resolved(path) ?? path
    let new = "\(target).pgkit-\(getpid())"
    do throws(SystemError) {
      try write(new, like: try? FileStatus(of: target))
      guard rename(new, target) == 0 else { throw Syscalls.lastError(of: "rename") }
    } catch {
      unlink(new)
      throw .cluster("could not write \"\(path)\"", error)
    }
  }

  private func write(_ path: String, like old: FileStatus?) throws(SystemError) {
    unlink(path)
    let file = try OpenFile(
      opening: path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
    if let old { try Self.give(file, to: old) }
    if fchmod(file.descriptor, old.map { $0.mode & 0o7777 } ?? 0o600) != 0 {
      throw Syscalls.lastError(of: "fchmod")
    }
    let bytes = bytes
    try file.write(bytes.isEmpty || bytes.last == ASCII.newline ? bytes : bytes + [ASCII.newline])
    if fsync(file.descriptor) != 0 { throw Syscalls.lastError(of: "fsync") }
  }

  /// Gives a new file the old one's owner and group.
  ///
  /// Whoever may not do that may not replace the old one either: its owner could not read it any more.
  private static func give(_ file: borrowing OpenFile, to old: FileStatus) throws(SystemError) {
    if fchown(file.descriptor, old.userID, old.groupID) == 0 { return }
    let refusal = Syscalls.lastError(of: "fchown")
    var facts = stat()
    guard fstat(file.descriptor, &facts) == 0, facts.st_uid == old.userID,
      facts.st_gid == old.groupID
    else { throw refusal }
  }
}
