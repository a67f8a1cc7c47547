internal import PGErrorCodes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Cluster {
  /// How a new cluster is made.
  public struct InitOptions: Sendable {
    /// The superuser's name; by default the caller's own, so that `peer` lets the caller in.
    public var superuser: String?
    /// The superuser's password; it reaches initdb through a file that only the server's user can
    /// read, and that is removed.
    public var password: String?
    /// How sockets authenticate (initdb's `--auth-local`).
    ///
    /// `peer` knows nobody without a name: for a caller who has none it is `trust`, with
    /// `unix_socket_permissions = 0700`.
    public var localAuthentication = "peer"
    /// How TCP authenticates (initdb's `--auth-host`).
    public var hostAuthentication = "scram-sha-256"
    /// The encoding.
    public var encoding = "UTF8"
    /// The locale; by default `C.UTF-8` where the system has it, else `C`.
    public var locale: String?
    /// Whether the files are forced to the disk.
    public var synchronizes = true
    /// More arguments for initdb.
    public var arguments: [String] = []
    /// How long initdb may take.
    public var wait = Duration.seconds(300)

    /// Makes the default options.
    public init() {}
  }

  /// Makes the cluster with `initdb`.
  ///
  /// The directory is made for the server's user, or must be empty and theirs; nothing above it is
  /// changed. If initdb fails, what it made is gone again.
  ///
  /// - Throws: ``PGError`` `-Cini` if there is something in the directory or it cannot be made,
  ///   `-Cidb` with initdb's output if initdb fails.
  ///
  /// In py-postgresql: `Cluster.init()`.
  public func initialize(_ options: InitOptions = InitOptions()) throws(PGError) {
    let user = try serverUser()
    let name = try nameForInitDB(as: user)
    let wasMade = try makeDirectory(for: user)
    do throws(PGError) {
      try withName(name, for: user) { place, runner, setting throws(PGError) in
        try withPasswordFile(options.password, runner) { file throws(PGError) in
          try runInitDB(options, in: place, passwordFile: file, as: runner, setting)
        }
      }
      if options.trustsSockets { try closeSockets() }
    } catch {
      let explanation = explained(error, port: nil)
      // initdb has emptied it; a directory that it could not even enter is empty anyway.
      if wasMade { rmdir(dataDirectory.path) }
      throw explanation
    }
  }

  /// Whether the directory was made here.
  private func makeDirectory(for user: ServerUser?) throws(PGError) -> Bool {
    let path = dataDirectory.path
    switch try dataDirectory.status() {
    case .missing:
      do throws(PGError) {
        // A throwaway cluster's directory is in one with a name of its own.
        _ =
          supervisor == nil
          ? try DirectoryIdentity.make(path, owner: user)
          : try DirectoryIdentity.makeApart(path, owner: user)
      } catch {
        throw .clusterInitialization(error.message, cause: error.cause)
      }
      return true
    case .stopped, .running:
      throw .clusterInitialization("there is a cluster in \"\(path)\" already")
    case .uninitialized:
      try checkOwner(of: path, user)
      return false
    }
  }

  private func checkOwner(of path: String, _ user: ServerUser?) throws(PGError) {
    guard let status = try? FileStatus(of: path) else { return }
    guard status.isDirectory else {
      throw .clusterInitialization("\"\(path)\" is not a directory")
    }
    if let user, status.userID != user.userID {
      throw .clusterInitialization(
        "\"\(path)\" does not belong to user \"\(user.name)\", whom the server would run as",
        hint: "Give the directory to that user, or name one that does not exist yet.")
    }
  }

  private func withPasswordFile(
    _ password: String?, _ user: ServerUser?,
    _ body: (String?) throws(PGError) -> Void
  ) throws(PGError) {
    guard let password else { return try body(nil) }
    if password.isEmpty || password.contains(where: \.isNewline) {
      throw .clusterInitialization("the superuser's password is empty or contains a line end")
    }
    try withPrivateFile("password", password + "\n", user, body)
  }

  /// Lends a file that only one user can read, and removes it with its directory.
  func withPrivateFile(
    _ name: String, _ text: String, _ user: ServerUser?, _ body: (String) throws(PGError) -> Void
  ) throws(PGError) {
    let directory = try privateDirectory(user)
    let path = "\(directory.path)/\(name)"
    var failure: PGError?
    do {
      try OpenFile.create(path, owner: user, Array(text.utf8))
    } catch {
      failure = .clusterInitialization("could not write \"\(path)\": \(error.text)", cause: error)
    }
    if failure == nil { do throws(PGError) { try body(path) } catch { failure = error } }
    // A password that stays behind is worse than anything that went wrong before.
    try directory.remove()
    if let failure { throw failure }
  }

  /// A new directory of a user's own; in a throwaway cluster's, whose supervisor removes that too.
  func privateDirectory(_ user: ServerUser?) throws(PGError) -> DirectoryIdentity {
    let base =
      supervisor == nil
      ? try SocketDirectory.base(for: user) : AbsolutePath.parent(of: dataDirectory.path)
    return try .makeUnique(under: AbsolutePath.resolved(base) ?? base, owner: user)
  }

  private func runInitDB(
    _ options: InitOptions, in place: String, passwordFile: String?, as user: ServerUser?,
    _ setting: (inout ProcessLaunch) -> Void
  ) throws(PGError) {
    let arguments = options.initDBArguments(place, passwordFile: passwordFile)
    var launch = try launch("initdb", arguments, as: user)
    launch.directory = place
    setting(&launch)
    let (ending, text) = try launch.capture(until: .after(options.wait))
    if ending.isSuccess { return }
    if let locale = options.locale, !Self.knows(locale) {
      throw .initDB(
        "initdb \(ending) for \"\(dataDirectory.path)\":\n\(Self.trimmed(text))",
        hint: "The system has no locale \"\(locale)\"; locale -a lists those that it has.")
    }
    throw .initDB("initdb \(ending) for \"\(dataDirectory.path)\":\n\(Self.trimmed(text))")
  }

  /// Leaves one empty file of the write-ahead log in a new cluster; what initdb has logged is
  /// nobody's loss, and a fifth of its bytes.
  func shortenLog() throws(PGError) {
    guard installation.executable("pg_resetwal") != nil else { return }
    var launch = try launch("pg_resetwal", [dataDirectory.path], as: try serverUser())
    launch.directory = dataDirectory.path
    let (ending, text) = try launch.capture(until: .after(.seconds(60)))
    if ending.isSuccess { return }
    throw .initDB("pg_resetwal \(ending) for \"\(dataDirectory.path)\":\n\(Self.trimmed(text))")
  }

  fileprivate static func knows(_ locale: String) -> Bool {
    guard let found = newlocale(1 << LC_CTYPE | 1 << LC_COLLATE, locale, nil) else { return false }
    freelocale(found)
    return true
  }

  private static func trimmed(_ text: String) -> String {
    text.split(separator: "\n").suffix(20).joined(separator: "\n")
  }
}

extension Cluster.InitOptions {
  func initDBArguments(_ directory: String, passwordFile: String?) -> [String] {
    var result = [
      "--pgdata=\(directory)", "--username=\(superuser ?? ServerUser.callerName)",
      "--encoding=\(encoding)", "--locale=\(locale ?? Self.defaultLocale)",
      "--auth-local=\(trustsSockets ? "trust" : localAuthentication)",
      "--auth-host=\(hostAuthentication)",
    ]
    if let passwordFile { result.append("--pwfile=\(passwordFile)") }
    if !synchronizes { result.append("--no-sync") }
    return result + arguments
  }

  /// A locale that orders by code point and still knows which characters are letters.
  static var defaultLocale: String {
    Cluster.knows("C.UTF-8") ? "C.UTF-8" : "C"
  }
}
