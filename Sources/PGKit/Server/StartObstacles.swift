#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What may have kept a server from starting, besides what it says itself: looked at only after a
/// start has failed.
struct StartObstacles: Sendable {
  /// The data directory.
  let directory: DataDirectory
  /// Whom the server runs as; `nil` is the caller.
  let user: ServerUser?
  /// The port of 127.0.0.1 that it was to have.
  let port: Int?
  /// Whether it was to share memory by files, with dynamic_shared_memory_type=mmap.
  let usesFiles: Bool

  /// Less room than this is too little for a server to start and work.
  private static let enoughBytes: UInt64 = 32 << 20
  private static let enoughFiles: UInt64 = 1024
  /// Containers often have less memory for sharing than a parallel query needs.
  private static let enoughForSharing: UInt64 = 64 << 20

  /// What was found, a sentence each.
  var sentences: [String] {
    [room, sharing, passage, mode, staleFile, residents].compactMap { $0 }
      + [holder].compactMap { $0 }
  }

  private var room: String? {
    var facts = statvfs()
    // What initdb has failed to make is gone again.
    guard
      statvfs(directory.path, &facts) == 0
        || statvfs(AbsolutePath.parent(of: directory.path), &facts) == 0
    else { return nil }
    if UInt(facts.f_flag) & UInt(ST_RDONLY) != 0 {
      return "The file system that the data is on is mounted read-only."
    }
    let (free, isHuge) = UInt64(facts.f_bavail)
      .multipliedReportingOverflow(by: UInt64(facts.f_frsize))
    if !isHuge, free < Self.enoughBytes {
      return "Only \(StoragePlace.megabytes(free)) are free where the data is."
    }
    // File systems without a fixed number of files say that they can have none.
    if facts.f_files > 0, UInt64(facts.f_favail) < Self.enoughFiles {
      return "Only \(facts.f_favail) more files can be made where the data is."
    }
    return nil
  }

  private var sharing: String? {
    if usesFiles { return nil }
    #if canImport(Darwin)
      return nil
    #else
      var facts = statvfs()
      guard statvfs("/dev/shm", &facts) == 0 else {
        return "There is no /dev/shm; dynamic_shared_memory_type=mmap does without."
      }
      let (free, isHuge) = UInt64(facts.f_bavail)
        .multipliedReportingOverflow(by: UInt64(facts.f_frsize))
      if isHuge || free >= Self.enoughForSharing { return nil }
      return "/dev/shm has only \(StoragePlace.megabytes(free)) free; "
        + "dynamic_shared_memory_type=mmap does without."
    #endif
  }

  private var passage: String? {
    guard let closed = user?.firstImpassable(to: directory.path), let user else { return nil }
    return "User \"\(user.name)\", whom the server runs as, may not pass through \"\(closed)\"."
  }

  private var mode: String? {
    guard let status = try? FileStatus(of: directory.path) else { return nil }
    let owner = user?.userID ?? geteuid()
    if status.userID != owner {
      return "\"\(directory.path)\" does not belong to the user whom the server runs as."
    }
    guard status.mode & 0o027 != 0 else { return nil }
    let octal = String(status.permissions, radix: 8)
    return "\"\(directory.path)\" has mode \(octal); a server takes 700 or 750."
  }

  private var staleFile: String? {
    guard case .stopped(let stale?)? = try? directory.status() else { return nil }
    return "A postmaster.pid was left there: \(stale)."
  }

  private var residents: String? {
    let processes = ServerProcesses(in: directory.path)
    return processes.isEmpty ? nil : "Processes of a server still work there: \(processes)."
  }

  private var holder: String? {
    guard let port, !LoopbackPort.isFree(port) else { return nil }
    let who = PortHolder(port: port)?.description ?? "a process that is hidden from this user"
    return "Port \(port) is held by \(who)."
  }
}

/// The process that listens at a TCP port.
struct PortHolder: Sendable, CustomStringConvertible {
  let pid: Int32
  let name: String

  var description: String { "process \(pid) (\(name))" }

  /// Looks for it, where the system tells; `nil` if it does not, or belongs to somebody else.
  init?(port: Int) {
    let sockets = Self.sockets(listeningAt: port)
    let processes = ((try? FolderListing.names(in: "/proc")) ?? []).compactMap { Int32($0) }
    for pid in processes where Self.has(pid, sockets) {
      self.pid = pid
      name = ProcessFacts(pid)?.name ?? "?"
      return
    }
    return nil
  }

  /// The links by which processes hold the sockets: `socket:[NUMBER]`.
  private static func sockets(listeningAt port: Int) -> Set<String> {
    let wanted = String(port, radix: 16, uppercase: true)
    let ending = ":" + String(repeating: "0", count: max(0, 4 - wanted.count)) + wanted
    let lines = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path in
      ((try? OpenFile.text(of: path)) ?? "").split(separator: "\n").dropFirst()
    }
    let listening: Substring = "0A"
    let numbers = lines.compactMap { line -> Substring? in
      let columns = line.split(separator: " ")
      guard columns.count > 9, columns[3] == listening, columns[1].hasSuffix(ending) else {
        return nil
      }
      return columns[9]
    }
    return Set(numbers.map { "socket:[\($0)]" })
  }

  private static func has(_ pid: Int32, _ sockets: Set<String>) -> Bool {
    let folder = "/proc/\(pid)/fd"
    return ((try? FolderListing.names(in: folder)) ?? []).contains { name in
      SymbolicLink.target("\(folder)/\(name)").map(sockets.contains) ?? false
    }
  }
}
