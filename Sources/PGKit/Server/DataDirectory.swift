/// A directory in which a cluster lives, or may come to live: what its files say.
///
/// Whether a server runs in it is decided by the process, not by the file: the number in
/// `postmaster.pid` must belong to a server that works in this very directory and started when the
/// file says. Otherwise the file is stale, and it is said which part did not match; the file is
/// left to the next server to remove.
public struct DataDirectory: Sendable, Hashable {
  /// Its absolute path.
  public let path: String

  /// What a data directory holds.
  public enum Status: Sendable, Hashable {
    /// There is nothing at the path.
    case missing
    /// There is something, but no cluster.
    case uninitialized
    /// A cluster without a server; a stale `postmaster.pid` with what did not match.
    case stopped(stale: String?)
    /// A cluster with its server.
    case running(PostmasterFile)
  }

  /// The clock may have been set by this many seconds since the server started.
  private static let clockTolerance: Int64 = 5

  /// Makes the value; a relative path is taken from the working directory.
  ///
  /// Nothing is touched.
  public init(_ path: String) {
    self.path = AbsolutePath.text(of: path)
  }

  /// The text of `PG_VERSION`, for example `15`; `nil` if there is no cluster.
  public var version: String? {
    guard let text = try? OpenFile.text(of: path + "/PG_VERSION", limit: 64) else { return nil }
    let version = text.prefix { $0 != "\n" && $0 != "\r" }
    return version.isEmpty ? nil : String(version)
  }

  /// Whether there is a whole cluster: its version, its settings and its databases.
  ///
  /// In py-postgresql: `Cluster.initialized()`.
  public var isInitialized: Bool {
    guard version != nil, let base = try? FileStatus(of: path + "/base") else { return false }
    return base.isDirectory && (try? FileStatus(of: path + "/global/pg_control")) != nil
  }

  /// Whether another file system begins here.
  public var isMountPoint: Bool {
    guard let status = try? FileStatus(of: path) else { return false }
    return MountPoint.isOne(path, status)
  }

  /// `postmaster.pid` as it is now; `nil` if there is none or its first line is no number.
  public var postmasterFile: PostmasterFile? {
    guard let text = try? OpenFile.text(of: path + "/postmaster.pid", limit: 8192) else {
      return nil
    }
    return PostmasterFile(parsing: text)
  }

  /// What the directory holds now.
  ///
  /// - Throws: ``PGError`` `-C000` when it may not be looked into.
  public func status() throws(PGError) -> Status {
    let status: FileStatus
    do { status = try FileStatus(of: path) } catch {
      if Syscalls.meansMissing(error) { return .missing }
      throw .cluster("could not look at \"\(path)\"", error)
    }
    guard status.isDirectory, version != nil else {
      try checkReadable()
      return .uninitialized
    }
    return try serverStatus(status)
  }

  /// Directories that may not be read hide their cluster, which is not the same as having none.
  private func checkReadable() throws(PGError) {
    do { _ = try FileStatus(of: path + "/PG_VERSION") } catch {
      if Syscalls.meansMissing(error) { return }
      throw .cluster("could not look into \"\(path)\"", error)
    }
  }

  private func serverStatus(_ directory: FileStatus) throws(PGError) -> Status {
    let text: String
    do { text = try OpenFile.text(of: path + "/postmaster.pid", limit: 8192) } catch {
      if Syscalls.meansMissing(error) { return .stopped(stale: nil) }
      throw .cluster("could not read \"\(path)/postmaster.pid\"", error)
    }
    guard let file = PostmasterFile(parsing: text) else {
      return .stopped(stale: text.isEmpty ? "it is empty" : "its first line is no process number")
    }
    if let mismatch = mismatch(of: file, directory) { return .stopped(stale: mismatch) }
    return .running(file)
  }

  /// Why the process that the file names is not this cluster's server; `nil` if it is.
  private func mismatch(of file: PostmasterFile, _ directory: FileStatus) -> String? {
    guard let facts = ProcessFacts(file.processID) else {
      return "there is no process \(file.processID)"
    }
    if let program = facts.executable ?? facts.name, !Self.isServer(program) {
      return "process \(file.processID) runs \"\(program)\", not a server"
    }
    if let works = facts.directory {
      if !works.isSame(as: directory) {
        return "process \(file.processID) is a server of another data directory"
      }
      // Program and directory are proof enough; a clock that was set must not make a running
      // server look dead.
      if facts.executable != nil { return nil }
    }
    if let recorded = file.startTime, let actual = facts.startTime,
      abs(actual - recorded) > Self.clockTolerance
    {
      return "process \(file.processID) did not start when the file says"
    }
    return nil
  }

  private static func isServer(_ program: String) -> Bool {
    program == "postgres" || program == "postmaster"
  }
}
