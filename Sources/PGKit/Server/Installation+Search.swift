#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// Where installations are looked for, in this order: what the caller names; PGINSTALLATION and
// PG_CONFIG; pg_config and postgres on PATH; the layouts of the distributions, newest version first.

extension Installation {
  /// Finds an installation.
  ///
  /// What is named, here or in the environment, must be a server, or the search fails; what is
  /// only met on the way is passed over if it is none, as Debian's `pg_config` without a server.
  ///
  /// - Parameter name: A directory of programs, an installation's directory above `bin`, a
  ///   `pg_config` or `postgres` program, or a major version such as `16`; `nil` takes the first
  ///   that is found.
  /// - Throws: ``PGError`` `-C000` that says where was looked and what was met.
  public static func find(_ name: String? = nil) throws(PGError) -> Installation {
    if let name, !name.isEmpty {
      if name.contains("/") { return try named(name, "given") }
      return try ofVersion(name)
    }
    let environment = ProcessEnvironment.current
    for variable in ["PGINSTALLATION", "PG_CONFIG"] {
      if let value = environment[variable], !value.isEmpty { return try named(value, variable) }
    }
    var met: [String] = []
    for candidate in candidates(environment) {
      do throws(PGError) { return try candidate.installation() } catch { met.append(error.message) }
    }
    throw nothingFound(met)
  }

  /// Every installation that can be found, each once.
  public static func all() -> [Installation] {
    var seen: Set<String> = []
    var result: [Installation] = []
    for candidate in namedCandidates() + candidates(ProcessEnvironment.current) {
      guard let found = try? candidate.installation() else { continue }
      let place = AbsolutePath.resolved(found.binaryDirectory) ?? found.binaryDirectory
      if seen.insert(place).inserted { result.append(found) }
    }
    return result
  }

  private static func ofVersion(_ name: String) throws(PGError) -> Installation {
    let all = all()
    let found =
      all.first { $0.majorVersion == name || $0.version == name }
      ?? all.first { $0.version.hasPrefix(name + ".") || $0.version.hasPrefix(name + " ") }
    if let found { return found }
    let known = all.map(\.description).joined(separator: ", ")
    throw .cluster(
      "there is no PostgreSQL \(name) here",
      hint: known.isEmpty ? "No installation was found at all." : "Found: \(known).")
  }

  private static func nothingFound(_ met: [String]) -> PGError {
    let detail = met.isEmpty ? "" : " (\(met.joined(separator: "; ")))"
    return .cluster(
      "no PostgreSQL server was found" + detail,
      hint: "Install one, or name its directory of programs or its pg_config in PG_CONFIG.")
  }

  /// A place where an installation may be.
  private struct Candidate {
    let path: String
    let reason: String

    func installation() throws(PGError) -> Installation { try Installation.named(path, reason) }
  }

  private static func namedCandidates() -> [Candidate] {
    let environment = ProcessEnvironment.current
    return ["PGINSTALLATION", "PG_CONFIG"].compactMap { name in
      environment[name].map { Candidate(path: $0, reason: name) }
    }
  }

  /// Takes a program or a directory that somebody has named.
  private static func named(_ path: String, _ reason: String) throws(PGError) -> Installation {
    let path = AbsolutePath.text(of: path)
    let status: FileStatus
    do { status = try FileStatus(of: path) } catch {
      throw .cluster("there is no PostgreSQL in \"\(path)\" (\(reason))", error)
    }
    if status.isDirectory {
      let inner = FileStatus.isExecutable(path + "/postgres") ? path : path + "/bin"
      let directory = FileStatus.isExecutable(inner + "/postgres") ? inner : path
      return try Installation(binaryDirectory: directory, reason: reason)
    }
    return try beside(path, reason)
  }

  /// A `pg_config` says where the programs are; any other program lies among them.
  private static func beside(_ program: String, _ reason: String) throws(PGError) -> Installation {
    guard program.split(separator: "/").last?.contains("pg_config") == true else {
      let place = AbsolutePath.parent(of: AbsolutePath.resolved(program) ?? program)
      return try Installation(binaryDirectory: place, reason: reason)
    }
    // Debian's is a script that asks another one, of the newest version that is installed.
    let others = versions(in: "/usr/lib/postgresql").map { $0 + "/bin" }
    let directory = try InstallationMemory.answer(
      of: program, to: "--bindir",
      dependingOn: [AbsolutePath.parent(of: program), "/usr/lib/postgresql"] + others
    ) { () throws(PGError) in
      guard let directory = try pgConfig(program).binaryDirectory else {
        throw .cluster("\"\(program)\" (\(reason)) does not say where PostgreSQL's programs are")
      }
      return directory
    }
    return try Installation(binaryDirectory: directory, reason: reason)
  }

  private static func candidates(_ environment: [String: String]) -> [Candidate] {
    let path = (environment["PATH"] ?? "").split(separator: ":").filter { $0.hasPrefix("/") }
    var result: [Candidate] = []
    for program in ["pg_config", "postgres"] {
      for directory in path where FileStatus.isExecutable("\(directory)/\(program)") {
        result.append(Candidate(path: "\(directory)/\(program)", reason: "\(program) on PATH"))
      }
    }
    return result + layouts(home: environment["HOME"])
  }

  /// Directories above `bin`, with the versions as directories below them.
  private static func layouts(home: String?) -> [Candidate] {
    var places = versions(in: "/usr/lib/postgresql")  // Debian and its descendants
    places += versions(in: "/usr", prefix: "pgsql-")  // PostgreSQL's own RPM packages
    places += versions(in: "/usr/libexec", prefix: "postgresql")  // Alpine
    places += ["/usr/local/pgsql", "/usr/local", "/usr"]
    places += versions(in: "/opt/homebrew/opt", prefix: "postgresql@")
    places += versions(in: "/usr/local/opt", prefix: "postgresql@")
    places += versions(in: "/Applications/Postgres.app/Contents/Versions")
    if let home {
      places.append(home + "/.nix-profile")
      places += versions(in: home + "/.asdf/installs/postgres")
      places += versions(in: home + "/.local/share/mise/installs/postgres")
    }
    return places.compactMap { place in
      for bin in [place + "/bin", place] where FileStatus.isExecutable(bin + "/postgres") {
        return Candidate(path: bin, reason: bin)
      }
      return nil
    }
  }

  /// The entries whose names are a prefix and a version, newest first.
  private static func versions(in directory: String, prefix: String = "") -> [String] {
    let entries = (try? FolderListing.names(in: directory)) ?? []
    let found = entries.compactMap { name -> (String, [Int])? in
      guard name.hasPrefix(prefix) else { return nil }
      let numbers = name.dropFirst(prefix.count).split(separator: ".").map { Int($0) }
      if numbers.isEmpty || numbers.contains(nil) { return nil }
      return ("\(directory)/\(name)", numbers.compactMap { $0 })
    }
    return found.sorted { $1.1.lexicographicallyPrecedes($0.1) }.map(\.0)
  }

}
