/// A data directory as initdb has made it, in two parts: what a server needs to start, and what it
/// looks into only when somebody asks for it.
///
/// It is packed, because that is copied in half the time; where the file system can give a copy the
/// same blocks it is there as files too.
struct Template: Sendable {
  /// Where it is in the cache.
  let path: String

  /// How much of it has to be written for a copy, in bytes.
  var size: UInt64 {
    [leadingPack, remainingPack].reduce(0) { sum, path in
      sum &+ UInt64(clamping: (try? FileStatus(of: path))?.size ?? 0)
    }
  }

  private var data: String { path + "/data" }
  private var leadingPack: String { path + "/leading" }
  private var remainingPack: String { path + "/remaining" }

  /// The directory of the database `postgres`, which initdb makes last, so that it has the highest
  /// number; a server looks into the others only when somebody connects to them.
  private static func database(in data: String) -> String {
    let names = (try? FolderListing.names(in: data + "/base")) ?? []
    return names.compactMap { UInt32($0) }.max().map { String($0) } ?? ""
  }

  private static func leading(_ database: String) -> DirectoryCopy.Part {
    .init(partial: "base", only: database)
  }

  private static func remaining(_ database: String) -> DirectoryCopy.Part {
    .init(except: database)
  }

  /// Takes what initdb has made into the cache.
  func take(_ source: String) throws(PGError) {
    let database = Self.database(in: source)
    try DirectoryCopy(source: source, destination: leadingPack, owner: nil)
      .pack(Self.leading(database))
    try DirectoryCopy(source: source + "/base", destination: remainingPack, owner: nil)
      .pack(Self.remaining(database))
    let files = try DirectoryIdentity.make(data, owner: nil)
    // One file tells whether copies here can share blocks.
    do { try OpenFile.create(data + "/PG_VERSION", []) } catch {
      throw .cluster("could not write to \"\(data)\"", error)
    }
    let canReflink = DirectoryCopy(source: data, destination: data, owner: nil).canReflink
    try files.remove()
    guard canReflink else { return }
    _ = try DirectoryIdentity.make(data, owner: nil)
    try DirectoryCopy(source: source, destination: data, owner: nil).copy()
  }

  /// Copies what a server needs to start into a directory that is there; the answer copies the rest.
  func copyLeading(
    to destination: String, owner: ServerUser?
  ) throws(PGError) -> @Sendable () throws(PGError) -> Void {
    let files = DirectoryCopy(source: data, destination: destination, owner: owner)
    if files.canReflink {
      let database = Self.database(in: data)
      try files.copy(Self.leading(database))
      let rest = DirectoryCopy(
        source: data + "/base", destination: destination + "/base", owner: owner)
      let part = Self.remaining(database)
      return { () throws(PGError) in try rest.copy(part) }
    }
    try DirectoryCopy(source: leadingPack, destination: destination, owner: owner).unpack()
    let rest = DirectoryCopy(
      source: remainingPack, destination: destination + "/base", owner: owner)
    return { () throws(PGError) in try rest.unpack() }
  }
}
