#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Cluster {
  /// Removes the cluster: the data directory with everything in it.
  ///
  /// Links are removed, never followed: what tablespaces hold elsewhere stays. Refused are a path
  /// that holds no cluster, a link, a mount point, a directory of somebody else's, and a cluster
  /// whose server runs.
  ///
  /// - Throws: ``PGError`` `-C000` if it is refused or something could not be removed.
  ///
  /// In py-postgresql: `Cluster.drop()`, which stops the server first.
  public func drop() throws(PGError) {
    let path = dataDirectory.path
    let identity = try droppable(path)
    if case .running(let file) = try status() {
      throw .cluster(
        "the server in \"\(path)\" runs (process \(file.processID))",
        hint: "Stop it first.")
    }
    let file = dataDirectory.postmasterFile
    let name = try SocketDirectory.name(for: path)
    try identity.remove()
    // Whatever a crash has left belongs to this cluster alone.
    SharedMemory.remove(file?.sharedMemory)
    if let directory = file?.socketDirectory {
      SocketDirectory.removeLeftovers(in: directory, of: name, port: file?.port)
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
