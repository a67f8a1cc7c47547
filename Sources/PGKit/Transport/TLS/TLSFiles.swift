/// The files that TLS needs: where they are by default, and whether they may be used.
enum TLSFiles {
  /// `~/.postgresql`.
  static var defaultDirectory: String? { Syscalls.homeDirectory.map { $0 + "/.postgresql" } }

  /// The path of a default file.
  static func path(_ name: String, in directory: String?) -> String? {
    directory.map { "\($0)/\(name)" }
  }

  /// Whether there is something at `path`; what cannot be looked at counts as being there.
  static func exists(_ path: String) -> Bool {
    guard case .failure(let error) = Syscalls.facts(ofFile: path) else { return true }
    return !Syscalls.meansMissing(error)
  }

  /// - Throws: ``PGError`` `-*000` when the file that is the `role` cannot be read.
  static func requireReadable(
    _ path: String, _ role: String, remedy: String? = nil
  ) throws(PGError) {
    try requireAccess(path, role, remedy)
    guard case .success(let facts) = Syscalls.facts(ofFile: path), !facts.isDirectory else {
      throw .option("\(role) \"\(path)\" is a directory")
    }
  }

  /// - Throws: ``PGError`` `-*000` when the directory that is the `role` cannot be read.
  static func requireDirectory(_ path: String, _ role: String) throws(PGError) {
    try requireAccess(path, role, nil)
    guard case .success(let facts) = Syscalls.facts(ofFile: path), facts.isDirectory else {
      throw .option("\(role) \"\(path)\" is not a directory")
    }
  }

  private static func requireAccess(
    _ path: String, _ role: String, _ remedy: String?
  ) throws(PGError) {
    guard let error = Syscalls.obstacle(toReading: path) else { return }
    if Syscalls.meansMissing(error) {
      throw .option("\(role) \"\(path)\" does not exist", hint: remedy)
    }
    throw .option("could not read \(role) \"\(path)\": \(error.text)")
  }

  /// Checks that nobody else can read or replace a private key.
  ///
  /// The rule of libpq: a regular file, of the user with mode 0600 at most, or of root with 0640.
  ///
  /// - Throws: ``PGError`` `-*000` that names the file and its mode.
  static func requirePrivate(_ path: String) throws(PGError) {
    let facts: Syscalls.FileFacts
    switch Syscalls.facts(ofFile: path) {
    case .success(let found): facts = found
    case .failure(let error):
      throw .option("could not read private key file \"\(path)\": \(error.text)")
    }
    guard facts.isRegular else {
      throw .option("private key file \"\(path)\" is not a regular file")
    }
    guard facts.owner == 0 || facts.owner == Syscalls.effectiveUser else {
      throw .option(
        "private key file \"\(path)\" is owned by user number \(facts.owner)",
        hint: "It must be owned by the current user or root.")
    }
    // In a file of root's, the group may read: that is how services share one.
    guard facts.permissions & (facts.owner == 0 ? 0o037 : 0o077) != 0 else { return }
    let mode = "0" + String(facts.permissions, radix: 8)
    throw .option(
      "private key file \"\(path)\" has group or world access (mode \(mode))",
      hint: "Permissions must be u=rw (0600) or less if owned by the current user, or "
        + "u=rw,g=r (0640) or less if owned by root.")
  }
}
