/// A data directory as initdb has made it, in two parts: what a server needs to start, and its databases,
/// which it looks into only when somebody connects to them.
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

  /// The directory of databases; for a start it must be there, but nothing in it.
  private static let databases = "base"

  /// How the names of the maps of free space end, which are an eighth of what initdb makes.
  ///
  /// A server does without them, makes them anew when it has something to note, and `VACUUM` fills them.
  ///
  /// Source: PostgreSQL manual, "Free Space Map"; its wiki, "Free Space Map Problems", has them removed.
  private static let maps = "_fsm"

  /// Takes what initdb has made into the cache, or what seeds have made of that.
  func take(_ source: String) throws(PGError) {
    try DirectoryCopy(source: source, destination: leadingPack, owner: nil)
      .pack(hollow: Self.databases, unwanted: Self.maps)
    try DirectoryCopy(
      source: "\(source)/\(Self.databases)", destination: remainingPack, owner: nil
    ).pack(unwanted: Self.maps)
    let files = try DirectoryIdentity.make(data, owner: nil)
    // One file tells whether copies here can share blocks.
    do { try OpenFile.create(data + "/PG_VERSION", []) } catch {
      throw .cluster("could not write to \"\(data)\"", error)
    }
    let canReflink = DirectoryCopy(source: data, destination: data, owner: nil).canReflink
    try files.remove()
    guard canReflink else { return }
    _ = try DirectoryIdentity.make(data, owner: nil)
    try DirectoryCopy(source: source, destination: data, owner: nil).copy(unwanted: Self.maps)
  }

  /// Copies what a server needs to start into a directory that is there; the answer copies the rest.
  func copyLeading(
    to destination: String, owner: ServerUser?
  ) throws(PGError) -> @Sendable () throws(PGError) -> Void {
    let files = DirectoryCopy(source: data, destination: destination, owner: owner)
    if files.canReflink {
      try files.copy(hollow: Self.databases)
      let rest = DirectoryCopy(
        source: "\(data)/\(Self.databases)", destination: "\(destination)/\(Self.databases)",
        owner: owner)
      return { () throws(PGError) in try rest.copy() }
    }
    try DirectoryCopy(source: leadingPack, destination: destination, owner: owner).unpack()
    let rest = DirectoryCopy(
      source: remainingPack, destination: "\(destination)/\(Self.databases)", owner: owner)
    return { () throws(PGError) in try rest.unpack() }
  }
}
