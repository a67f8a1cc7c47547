internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A directory by its path and its identity, so that nothing that took its place is touched.
struct DirectoryIdentity: Sendable, Hashable {
  let path: String
  let device: dev_t
  let inode: ino_t

  /// Takes the identity of the directory that stands at `path`, which must not be a link.
  init(_ path: String) throws(PGError) {
    do throws(SystemError) {
      let status = try FileStatus(of: path, followingLinks: false)
      guard status.isDirectory else { throw SystemError(call: "lstat", number: ENOTDIR) }
      self.path = path
      device = status.device
      inode = status.inode
    } catch {
      throw .cluster("could not use directory \"\(path)\"", error)
    }
  }

  /// Makes a new directory that only its owner may enter.
  static func make(_ path: String, owner: ServerUser?) throws(PGError) -> DirectoryIdentity {
    guard mkdir(path, 0o700) == 0 else {
      throw .cluster("could not make directory \"\(path)\"", Syscalls.lastError(of: "mkdir"))
    }
    return try give(path, to: owner)
  }

  /// Makes a new directory in one that has a name of its own; what is made in it then is made fast even
  /// where many files were removed a moment ago.
  static func makeApart(_ path: String, owner: ServerUser?) throws(PGError) -> DirectoryIdentity {
    let parent = AbsolutePath.parent(of: path)
    let error = pgkit_make_apart(
      parent, String(AbsolutePath.name(of: path)), String(AbsolutePath.name(of: parent)))
    guard error == 0 else {
      throw .cluster(
        "could not make directory \"\(path)\"", SystemError(call: "mkdir", number: error))
    }
    return try give(path, to: owner)
  }

  /// Makes a new directory with a name of its own under `base`.
  static func makeUnique(
    under base: String, prefix: String = "pgkit", owner: ServerUser?
  ) throws(PGError) -> DirectoryIdentity {
    var template = Array("\(base)/\(prefix)-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { mkdtemp($0) != nil } ?? false
    }
    guard made else {
      throw .cluster("could not make a directory in \"\(base)\"", Syscalls.lastError(of: "mkdtemp"))
    }
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return try give(path, to: owner)
  }

  private static func give(_ path: String, to owner: ServerUser?) throws(PGError)
    -> DirectoryIdentity
  {
    let identity = try DirectoryIdentity(path)
    guard let owner else { return identity }
    do throws(SystemError) {
      let directory = try OpenFile(opening: path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      if fchown(directory.descriptor, owner.userID, owner.groupID) != 0 {
        throw Syscalls.lastError(of: "fchown")
      }
    } catch {
      rmdir(path)
      throw .cluster("could not give \"\(path)\" to user \"\(owner.name)\"", error)
    }
    return identity
  }

  /// Whether this very directory stands at its path.
  var isThere: Bool {
    guard let status = try? FileStatus(of: path, followingLinks: false) else { return false }
    return status.device == device && status.inode == inode
  }

  /// Removes the directory with everything in it, following no link and crossing no mount point.
  ///
  /// One that is gone already counts as removed.
  ///
  /// - Throws: ``PGError`` `-C000` that names what could not be removed, or was not yet when the deadline
  ///   passed.
  func remove(until deadline: Deadline = .never) throws(PGError) {
    var name = [CChar](repeating: 0, count: 256)
    let error = path.withCString { path in
      var directory = pgkit_directory(path: path, device: device, inode: inode)
      return pgkit_remove_tree(&directory, deadline.pollTimeout, &name, name.count)
    }
    if error == 0 { return }
    let reason = SystemError(call: "unlinkat", number: error)
    let entry = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    let what = entry.isEmpty ? "" : ": \"\(String(decoding: entry, as: UTF8.self))\""
    if error == ESTALE {
      throw .cluster("\"\(path)\" is not the directory that was made there; it is left alone")
    }
    throw .cluster("could not remove directory \"\(path)\"\(what)", reason)
  }

  /// A killed server's processes may still write for a moment: removal is tried this often.
  private static let removalAttempts = 20
  private static let removalPause: Int32 = 50
  /// How long killed processes may take to be gone.
  private static let residentPatience = Duration.seconds(1)

  /// Removes the directory, again and again if somebody still writes into it.
  func removePatiently(until deadline: Deadline = .never) throws(PGError) {
    for attempt in 1... {
      do throws(PGError) { return try remove(until: deadline) } catch {
        if attempt >= Self.removalAttempts || deadline.hasPassed || !isThere { throw error }
        poll(nil, 0, Self.removalPause)
      }
    }
  }

  /// Kills the servers that work below the directory, and removes their shared memory.
  ///
  /// - Returns: How many processes were met.
  @discardableResult
  func endResidents(until deadline: Deadline = .never) -> Int {
    guard isThere else { return 0 }
    let patience = Deadline.after(Self.residentPatience).earlier(deadline).pollTimeout
    let count = Int(pgkit_end_residents(path, patience))
    pgkit_remove_segments(path)
    return count
  }

  /// How much is in it, in bytes.
  var contentSize: UInt64 { Self.contentSize(path) }

  private static func contentSize(_ path: String) -> UInt64 {
    ((try? FolderListing.names(in: path)) ?? []).reduce(into: 0) { sum, name in
      let entry = "\(path)/\(name)"
      guard let status = try? FileStatus(of: entry, followingLinks: false) else { return }
      sum &+= status.isDirectory ? contentSize(entry) : UInt64(clamping: status.size)
    }
  }
}
