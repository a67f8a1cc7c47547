#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// initdb asks for the name of the user whom it runs as, and gives up where there is none, as in a
// container that was given a number. Nothing else needs it: a server starts on a copy without. So initdb
// sees a name in one of three ways, the first that this system allows: a user namespace in which the
// number is a named user's; the library nss_wrapper, where it is installed; or, for root, another user
// who makes the files, which are then copied.

extension Cluster {
  /// How initdb comes by a name.
  enum InitDBName: Sendable, Hashable {
    /// Its user has one.
    case own
    /// It sees itself as this user.
    case appearance(UInt32)
    /// This library shows it a list of users that has one.
    case library(String)
    /// This user makes the files.
    case other(ServerUser)
  }

  /// Where the system keeps libraries.
  private static let libraryFolders = [
    "/usr/lib64", "/usr/lib", "/usr/local/lib", "/lib64", "/lib",
  ]
  private static let libraryName = "libnss_wrapper.so"
  /// What initdb needs to find a wrapped user by.
  private static let borrowedName = "pgkit"

  /// How initdb may come by a name when it runs as a user; `nil` is the caller.
  ///
  /// - Throws: ``PGError`` `-Cini` if there is no way.
  func nameForInitDB(as user: ServerUser?) throws(PGError) -> InitDBName {
    if user?.hasName ?? (ServerUser(number: geteuid()) != nil) { return .own }
    let named = ServerUser.anyNamed
    if let named, try canAppear(as: named.userID, user) { return .appearance(named.userID) }
    if let library = Self.wrapperLibrary { return .library(library) }
    if geteuid() == 0, let named { return .other(named) }
    throw .clusterInitialization(
      "user number \(user?.userID ?? geteuid()) has no name here, initdb runs for no user without "
        + "one; none can be lent to it: users may make no user namespaces here, and there is no "
        + "\(Self.libraryName)",
      hint: "Give the number a name in /etc/passwd, install nss_wrapper (libnss-wrapper), "
        + "or allow user namespaces.")
  }

  /// Whether the system allows it, found out with a program that does nothing.
  private func canAppear(as number: UInt32, _ user: ServerUser?) throws(PGError) -> Bool {
    var launch = try launch("initdb", ["--version"], as: user)
    launch.appearance = number
    launch.directory = "/"
    do throws(PGError) {
      _ = try launch.start().wait()
      return true
    } catch {
      if (error.cause as? LaunchFault)?.step == .name { return false }
      throw error
    }
  }

  private static var wrapperLibrary: String? {
    let environment = ProcessEnvironment.current
    let named = (environment["LD_LIBRARY_PATH"] ?? "").split(separator: ":").map(String.init)
    let nested = libraryFolders.flatMap { folder in
      ((try? FolderListing.names(in: folder)) ?? []).filter { $0.hasSuffix("-linux-gnu") }
        .map { "\(folder)/\($0)" }
    }
    return (named.filter { $0.hasPrefix("/") } + libraryFolders + nested)
      .map { "\($0)/\(libraryName)" }.first { access($0, R_OK) == 0 }
  }

  /// Calls `body` with the directory that initdb is to fill, the user it runs as, and what else its
  /// launch needs; what it makes is the user's in the end.
  func withName(
    _ name: InitDBName, for user: ServerUser?,
    _ body: (String, ServerUser?, (inout ProcessLaunch) -> Void) throws(PGError) -> Void
  ) throws(PGError) {
    let path = dataDirectory.path
    switch name {
    case .own: try body(path, user) { _ in }
    case .appearance(let number): try body(path, user) { $0.appearance = number }
    case .library(let library):
      let (number, group) = (user?.userID ?? geteuid(), user?.groupID ?? getegid())
      let entry = "\(Self.borrowedName):x:\(number):\(group)::/:/bin/sh\n"
      try withPrivateFile("passwd", entry, user) { file throws(PGError) in
        try body(path, user) { launch in
          launch.environment["LD_PRELOAD"] = library
          launch.environment["NSS_WRAPPER_PASSWD"] = file
          // It takes both or none.
          launch.environment["NSS_WRAPPER_GROUP"] = file
        }
      }
    case .other(let other):
      let destination = AbsolutePath.resolved(path) ?? path
      try withNursery(of: other) { nursery throws(PGError) in
        try body(nursery, other) { _ in }
      } copied: { nursery throws(PGError) in
        try DirectoryCopy(source: nursery, destination: destination, owner: user).copy()
      }
    }
  }

  /// Lends a directory to another user than the data's; `copied` begins when that user has filled it.
  ///
  /// Whose the directory above is may put another in its place; so it is copied through a descriptor, and
  /// what is above is let open through one.
  private func withNursery(
    of user: ServerUser, _ body: (String) throws(PGError) -> Void,
    copied copy: (String) throws(PGError) -> Void
  ) throws(PGError) {
    let nursery = try privateDirectory(user)
    var failure: PGError?
    do {
      let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
      let parent = try OpenFile(opening: AbsolutePath.parent(of: nursery.path), flags)
      let folder = try OpenFile(opening: nursery.path, flags)
      var facts = stat()
      guard fstat(folder.descriptor, &facts) == 0, facts.st_uid == user.userID else {
        throw SystemError(call: "fstat", number: ESTALE)
      }
      // A throwaway cluster's directory is closed to other users; they may pass through it meanwhile.
      if supervisor != nil { fchmod(parent.descriptor, 0o711) }
      defer { if supervisor != nil { fchmod(parent.descriptor, 0o700) } }
      try body(nursery.path)
      try copy("/proc/self/fd/\(folder.descriptor)")
    } catch let error as PGError {
      failure = error
    } catch {
      failure = .clusterInitialization("could not use \"\(nursery.path)\"", cause: error)
    }
    try nursery.remove()
    if let failure { throw failure }
  }

  /// Lets nobody but its own user to a server's sockets, wherever they are: in there everybody is trusted
  /// where `peer` would know no name.
  func closeSockets() throws(PGError) {
    let path = dataDirectory.path + "/postgresql.conf"
    var file = try ConfigurationFile(reading: path)
    file.apply([("unix_socket_permissions", "0700")])
    try file.write(to: path)
  }
}

extension Cluster.InitOptions {
  /// Whether sockets trust everybody whom they let in, because `peer` would know no name of the caller.
  var trustsSockets: Bool {
    localAuthentication == "peer" && ServerUser(number: geteuid()) == nil
  }
}
