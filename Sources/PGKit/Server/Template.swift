/// A data directory as initdb has made it, in two parts: what a server needs to start, and what it
/// looks into only when somebody asks for it.
///
/// It is there as files, for file systems that can give a copy the same blocks, and packed, because
/// that is copied in half the time everywhere else.
struct Template: Sendable {
  /// Where it is in the cache.
  let path: String

  private var data: String { path + "/data" }
  private var leadingPack: String { path + "/leading" }
  private var remainingPack: String { path + "/remaining" }

  /// The directory of the database `postgres`, which initdb makes last, so that it has the highest
  /// number; a server looks into the others only when somebody connects to them.
  private var database: String {
    let names = (try? FolderListing.names(in: data + "/base")) ?? []
    return names.compactMap { UInt32($0) }.max().map { String($0) } ?? ""
  }

  private var leading: DirectoryCopy.Part { .init(partial: "base", only: database) }
  private var remaining: DirectoryCopy.Part { .init(except: database) }

  /// Packs what initdb has made.
  func pack() throws(PGError) {
    try DirectoryCopy(source: data, destination: leadingPack, owner: nil).pack(leading)
    try DirectoryCopy(source: data + "/base", destination: remainingPack, owner: nil)
      .pack(remaining)
  }

  /// Copies what a server needs to start into a directory that is there; the answer copies the rest.
  func copyLeading(
    to destination: String, owner: ServerUser?
  ) throws(PGError) -> @Sendable () throws(PGError) -> Void {
    let files = DirectoryCopy(source: data, destination: destination, owner: owner)
    if files.canReflink {
      try files.copy(leading)
      let rest = DirectoryCopy(
        source: data + "/base", destination: destination + "/base", owner: owner)
      let part = remaining
      return { () throws(PGError) in try rest.copy(part) }
    }
    try DirectoryCopy(source: leadingPack, destination: destination, owner: owner).unpack()
    let rest = DirectoryCopy(
      source: remainingPack, destination: destination + "/base", owner: owner)
    return { () throws(PGError) in try rest.unpack() }
  }
}
