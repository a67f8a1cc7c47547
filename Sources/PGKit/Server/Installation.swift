/// The programs of one PostgreSQL server, and how they were found.
///
/// In py-postgresql: `installation.Installation`.
public struct Installation: Sendable, Hashable {
  /// The directory of `postgres`, `initdb` and the others.
  public let binaryDirectory: String
  /// The version as the server prints it: `15.18 (Debian 15.18-0+deb12u1)`, `19devel`.
  public let version: String
  /// The same, to compare with.
  ///
  /// In py-postgresql: `Installation.version_info`.
  public let serverVersion: ServerVersion
  /// Why it was found, for example `PATH`.
  public let reason: String

  /// How long a program may take to say its version.
  private static let patience = Duration.seconds(20)

  /// Takes the programs in a directory.
  ///
  /// - Throws: ``PGError`` `-C000` if `postgres` or `initdb` is missing there, or `postgres` does
  ///   not say its version.
  public init(binaryDirectory: String, reason: String = "given") throws(PGError) {
    let directory = AbsolutePath.text(of: binaryDirectory)
    for program in ["postgres", "initdb"]
    where !FileStatus.isExecutable("\(directory)/\(program)") {
      throw .cluster(
        "there is no server in \"\(directory)\": \"\(program)\" is missing",
        hint: "A client-only package has no server; install PostgreSQL's server package.")
    }
    self.binaryDirectory = directory
    self.reason = reason
    (version, serverVersion) = try Self.version(of: directory + "/postgres")
  }

  private static func version(of program: String) throws(PGError) -> (String, ServerVersion) {
    let text = try InstallationMemory.answer(of: program, to: "--version") { () throws(PGError) in
      var launch = ProcessLaunch(
        program, ["--version"], environment: ProcessEnvironment.forServer(as: nil))
      launch.directory = "/"
      let (ending, text) = try launch.capture(until: .after(patience))
      let line = text.prefix { !$0.isNewline }
      guard ending.isSuccess, parseVersion(String(line)) != nil else {
        throw .cluster("\"\(program)\" did not say its version; it \(ending)")
      }
      return String(line)
    }
    guard let parsed = parseVersion(text) else {
      throw .cluster("\"\(program)\" did not say its version")
    }
    return parsed
  }

  /// Parses `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, and pg_config's
  /// `PostgreSQL 9.6.24`; whatever follows the numbers is kept as it is.
  static func parseVersion(_ text: String) -> (version: String, parts: ServerVersion)? {
    let line = text.prefix { !$0.isNewline }
    guard let start = line.firstIndex(where: { ("0"..."9").contains($0) }) else { return nil }
    let version = line[start...]
    let points = version.prefix { ("0"..."9").contains($0) || $0 == "." }.count { $0 == "." }
    guard points < 3, let parts = ServerVersion(version) else { return nil }
    return (String(version), parts)
  }

  /// The part of the version that `PG_VERSION` in a data directory must equal: `15`, `9.6`.
  public var majorVersion: String {
    let (major, minor) = (serverVersion.major, serverVersion.minor)
    return major < 10 ? "\(major).\(minor)" : "\(major)"
  }

  /// The path of one of its programs, if that is there.
  public func executable(_ name: String) -> String? {
    let path = "\(binaryDirectory)/\(name)"
    return FileStatus.isExecutable(path) ? path : nil
  }

  /// What its own `pg_config` says.
  ///
  /// - Throws: ``PGError`` `-C000` if it has none, as where development files are not installed.
  public func pgConfig() throws(PGError) -> PGConfigOutput {
    guard let program = executable("pg_config") else {
      throw .cluster("there is no pg_config in \"\(binaryDirectory)\"")
    }
    return try Self.pgConfig(program)
  }

  /// Where its own `pg_config` says that files lie which do not depend on the machine; `nil` if it has
  /// none.
  var shareDirectory: String? {
    guard let program = executable("pg_config") else { return nil }
    return try? InstallationMemory.answer(of: program, to: "sharedir") { () throws(PGError) in
      try Self.pgConfig(program)["sharedir"] ?? ""
    }
  }

  static func pgConfig(_ program: String) throws(PGError) -> PGConfigOutput {
    var launch = ProcessLaunch(
      program, environment: ProcessEnvironment.forServer(as: nil))
    launch.directory = "/"
    let (ending, text) = try launch.capture(until: .after(patience))
    guard ending.isSuccess else { throw .cluster("\"\(program)\" \(ending)") }
    return PGConfigOutput(parsing: text)
  }
}

extension Installation: CustomStringConvertible {
  /// The version and the directory.
  public var description: String { "PostgreSQL \(version) in \(binaryDirectory)" }
}
