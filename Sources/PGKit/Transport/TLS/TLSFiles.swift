/// Whether the files that TLS needs may be used.
///
/// Where they are is said by the options; ``OptionSources`` fills the default places in.
enum TLSFiles {
  /// - Throws: ``PGError`` `-*000` when the file that is the `role` cannot be read.
  static func requireReadable(
    _ path: String, _ role: String, remedy: String? = nil
  ) throws(PGError) {
    try requireAccess(path, role, remedy)
    guard let status = try? FileStatus(of: path), !status.isDirectory else {
      throw .option("\(role) \"\(path)\" is a directory")
    }
  }

  /// - Throws: ``PGError`` `-*000` when the directory that is the `role` cannot be read.
  static func requireDirectory(_ path: String, _ role: String) throws(PGError) {
    try requireAccess(path, role, nil)
    guard let status = try? FileStatus(of: path), status.isDirectory else {
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
    let status: FileStatus
    do { status = try FileStatus(of: path) } catch {
      throw .option("could not read private key file \"\(path)\": \(error.text)")
    }
    guard status.isRegular else {
      throw .option("private key file \"\(path)\" is not a regular file")
    }
    guard status.userID == 0 || status.userID == Syscalls.effectiveUser else {
      throw .option(
        "private key file \"\(path)\" is owned by user number \(status.userID)",
        hint: "It must be owned by the current user or root.")
    }
    // In a file of root's, the group may read: that is how services share one.
    guard status.permissions & (status.userID == 0 ? 0o037 : 0o077) != 0 else { return }
    let mode = "0" + String(status.permissions, radix: 8)
    throw .option(
      "private key file \"\(path)\" has group or world access (mode \(mode))",
      hint: "Permissions must be u=rw (0600) or less if owned by the current user, or "
        + "u=rw,g=r (0640) or less if owned by root.")
  }
}
