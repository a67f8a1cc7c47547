#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The user whom a server runs as when the caller is root, whom PostgreSQL refuses.
///
/// Only the child becomes this user; the caller stays what it is.
public struct ServerUser: Sendable, Hashable {
  /// The user's name; the number where the user has none.
  public let name: String
  /// The user's number.
  public let userID: UInt32
  /// The number of the user's own group.
  public let groupID: UInt32
  /// All groups that the user is in.
  public let groups: [UInt32]
  /// The home directory.
  public let home: String
  /// Whether the system knows a name for the number.
  let hasName: Bool

  /// A name is looked up in a buffer of this size; glibc suggests 1 kB.
  private static let lookupSize = 16_384
  /// More groups than this are not taken over.
  private static let groupLimit = 1024

  /// Looks a user up by name; `nil` if there is none.
  public init?(named name: String) {
    self.init { entry, buffer, found in
      getpwnam_r(name, entry, buffer, Self.lookupSize, found)
    }
  }

  /// Looks a user up by number; `nil` if there is none.
  public init?(number: UInt32) {
    self.init { entry, buffer, found in
      getpwuid_r(number, entry, buffer, Self.lookupSize, found)
    }
  }

  private init?(
    _ lookUp: (
      UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>,
      UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32
  ) {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: Self.lookupSize)
    let user: ServerUser? = buffer.withUnsafeMutableBufferPointer {
      guard let buffer = $0.baseAddress else { return nil }
      guard lookUp(&entry, buffer, &found) == 0, found != nil, let name = entry.pw_name else {
        return nil
      }
      let home = entry.pw_dir.map { String(cString: $0) } ?? "/"
      return ServerUser(
        String(cString: name), entry.pw_uid, entry.pw_gid, home)
    }
    guard let user else { return nil }
    self = user
  }

  private init(_ name: String, _ userID: UInt32, _ groupID: UInt32, _ home: String) {
    self.name = name
    self.userID = userID
    self.groupID = groupID
    self.home = home
    hasName = true
    groups = Self.groups(of: name, groupID)
  }

  /// A user of whom the system knows no more than the number.
  private init(nameless number: UInt32, group: UInt32) {
    name = String(number)
    userID = number
    groupID = group
    home = "/"
    hasName = false
    groups = [group]
  }

  private static func groups(of name: String, _ groupID: UInt32) -> [UInt32] {
    #if canImport(Darwin)
      return [groupID]
    #else
      var count = Int32(groupLimit)
      var groups = [gid_t](repeating: 0, count: groupLimit)
      guard getgrouplist(name, groupID, &groups, &count) >= 0 else { return [groupID] }
      return Array(groups.prefix(Int(max(count, 0))))
    #endif
  }

  /// The name of the user who runs this process, or its number if it has no name.
  static var callerName: String {
    let number = geteuid()
    return ServerUser(number: number)?.name ?? String(number)
  }

  /// Somebody who is not root and has a name, wherever servers usually run.
  static var anyNamed: ServerUser? {
    ["postgres", "nobody", "daemon", "bin"].lazy.compactMap { ServerUser(named: $0) }
      .first { $0.userID != 0 }
  }

  /// A user as named by a caller: by name, or by number, which needs no name then.
  private static func asked(_ text: String) -> ServerUser? {
    if let user = ServerUser(named: text) { return user }
    // The highest number means nobody to the system.
    guard let number = UInt32(text), number != .max else { return nil }
    return ServerUser(number: number) ?? ServerUser(nameless: number, group: number)
  }

  /// The user for a server over `dataDirectory`; `nil` when the caller itself can run it.
  ///
  /// For root: the one asked for, else the owner of an existing data directory, else `postgres`,
  /// else `nobody`.
  static func choose(for dataDirectory: String?, runAs: String?) throws(PGError) -> ServerUser? {
    if let runAs {
      guard let user = asked(runAs) else {
        throw .cluster("there is no user \"\(runAs)\" to run the server as")
      }
      if user.userID == geteuid() && user.userID != 0 { return nil }
      return try checked(user)
    }
    guard geteuid() == 0 else { return nil }
    if let dataDirectory, let status = try? FileStatus(of: dataDirectory), status.userID != 0 {
      return ServerUser(number: status.userID)
        ?? ServerUser(nameless: status.userID, group: status.groupID)
    }
    if let user = ServerUser(named: "postgres") ?? ServerUser(named: "nobody") { return user }
    throw .cluster(
      "root may not run a server, and there is neither a user \"postgres\" nor \"nobody\"",
      hint: "Name a user to run it as, or run this as an ordinary user.")
  }

  private static func checked(_ user: ServerUser) throws(PGError) -> ServerUser {
    if user.userID == 0 {
      throw .cluster("PostgreSQL refuses to run as root", hint: "Name another user.")
    }
    if geteuid() != 0 {
      throw .cluster("only root may run a server as another user, \"\(user.name)\"")
    }
    return user
  }

  /// The first directory on the way to `path` that the user may not pass through, judged by mode
  /// bits alone; for messages and for choosing among directories.
  func firstImpassable(to path: String) -> String? {
    var prefix = ""
    for part in path.split(separator: "/").dropLast() {
      prefix += "/\(part)"
      if let status = try? FileStatus(of: prefix), !mayEnter(status) { return prefix }
    }
    return nil
  }

  private func mayEnter(_ status: FileStatus) -> Bool {
    if status.userID == userID { return status.mode & 0o100 != 0 }
    if groups.contains(status.groupID) { return status.mode & 0o010 != 0 }
    return status.mode & 0o001 != 0
  }
}
