#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Cluster {
  /// What a removal came to.
  public struct Removal: Sendable, Hashable {
    /// How many bytes were removed.
    public internal(set) var bytes: UInt64 = 0
    /// Directories of its tablespaces elsewhere that were left as they are.
    public internal(set) var remaining: [String] = []
  }

  /// Removes the cluster: the data directory with everything in it.
  ///
  /// Links are removed, never followed. Refused are a path that holds no cluster, a link, a mount
  /// point, a directory of somebody else's, and a cluster whose server runs. What a killed server has
  /// left goes too: its processes, its shared memory, its sockets.
  ///
  /// - Parameter includesTablespaces: Whether what servers of this version keep in tablespaces
  ///   elsewhere is removed first; the tablespaces' own directories stay.
  /// - Throws: ``PGError`` `-C000` if it is refused or something could not be removed.
  ///
  /// In py-postgresql: `Cluster.drop()`, which stops the server first.
  @discardableResult
  public func drop(includesTablespaces: Bool = false) throws(PGError) -> Removal {
    let path = dataDirectory.path
    let identity = try droppable(path)
    if case .running(let file) = try status() {
      throw .cluster(
        "the server in \"\(path)\" runs (process \(file.processID))",
        hint: "Stop it first.")
    }
    let file = dataDirectory.postmasterFile
    let name = try SocketDirectory.name(for: path)
    // Whatever a crash has left belongs to this cluster alone.
    try end(ServerProcesses(in: path), SharedMemory(of: path))
    var removal = Removal()
    for folder in tablespaces(of: identity) {
      if includesTablespaces {
        removal.bytes &+= folder.contentSize
        try folder.remove()
      } else {
        removal.remaining.append(folder.path)
      }
    }
    removal.bytes &+= identity.contentSize
    try identity.remove()
    if let directory = file?.socketDirectory {
      SocketDirectory.removeLeftovers(in: directory, of: name, port: file?.port)
    }
    return removal
  }

  /// The directories in which its tablespaces keep what is of this version, as `PG_15_202209061`.
  ///
  /// They must be the data directory's owner's.
  private func tablespaces(of data: DirectoryIdentity) -> [DirectoryIdentity] {
    let links = data.path + "/pg_tblspc"
    guard let version = dataDirectory.version, let owner = try? FileStatus(of: data.path).userID
    else { return [] }
    let places = ((try? FolderListing.names(in: links)) ?? []).compactMap {
      SymbolicLink.target("\(links)/\($0)")
    }
    return places.flatMap { place in
      ((try? FolderListing.names(in: place)) ?? [])
        .filter { $0.hasPrefix("PG_\(version)_") }
        .map { "\(place)/\($0)" }
        .filter { (try? FileStatus(of: $0, followingLinks: false))?.userID == owner }
        .compactMap { try? DirectoryIdentity($0) }
    }
  }

  private func droppable(_ path: String) throws(PGError) -> DirectoryIdentity {
    let status: FileStatus
    do { status = try FileStatus(of: path, followingLinks: false) } catch {
      throw .cluster("could not drop the cluster in \"\(path)\"", error)
    }
    if status.isLink {
      throw .cluster(
        "\"\(path)\" is a link", hint: "Name the directory itself, and remove the link by hand.")
    }
    if status.isDirectory {
      do throws(SystemError) { _ = try FileStatus(of: path + "/PG_VERSION") } catch {
        if error.number == EACCES { throw .cluster("could not look into \"\(path)\"", error) }
      }
    }
    guard status.isDirectory, dataDirectory.version != nil else {
      throw .cluster("there is no cluster in \"\(path)\"; nothing is removed")
    }
    if MountPoint.isOne(path, status) {
      throw .cluster("\"\(path)\" is a mount point; its cluster is not removed")
    }
    let caller = geteuid()
    if caller != 0 && status.userID != caller {
      throw .cluster("\"\(path)\" belongs to another user; nothing is removed")
    }
    return try DirectoryIdentity(path)
  }
}
