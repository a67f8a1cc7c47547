// Which authorities are believed, and which of their certificates no longer. The rule for files: one
// that the options name must be there. (Default places are only named where something is there, or
// must be: see OptionSources.)

/// Whom a TLS session trusts, decided from the options before anything is opened.
struct TLSTrust: Equatable {
  /// Where root certificates come from.
  enum Roots: Equatable {
    /// The certificate is not checked.
    case unchecked
    /// What the operating system trusts.
    case system
    /// The certificates of a file.
    case file(String)
  }

  /// What the mode demands.
  let mode: SSLMode
  /// Where root certificates come from.
  private(set) var roots = Roots.unchecked
  /// The file of revoked certificates.
  private(set) var revocationFile: String?
  /// The directory of such files.
  private(set) var revocationDirectory: String?

  /// Decides.
  ///
  /// As in libpq, `require` checks the chain when there is a root certificate, and `system` is
  /// for `verify-full` only. `allow` and `prefer` never check: they would go on without TLS.
  ///
  /// - Throws: ``PGError`` `-*000` when files or options are missing or contradict each other.
  init(_ options: ConnectionOptions) throws(PGError) {
    let isSystem = options.sslRootCertificate == "system"
    mode = options.sslMode ?? (isSystem ? .verifyFull : .prefer)
    if isSystem && mode != .verifyFull {
      throw .option(
        "weak sslmode \"\(mode.rawValue)\" may not be used with sslrootcert=system",
        hint: "Use sslmode=verify-full.")
    }
    guard mode >= .require else { return }
    roots = isSystem ? .system : try Self.roots(options, mode)
    try findRevocations(options)
  }

  /// The trusted authorities in words.
  var description: String {
    switch roots {
    case .unchecked: "no authority"
    case .system: "the system's trusted roots"
    case .file(let path): "root certificate file \"\(path)\""
    }
  }

  /// Where revocation lists are, in words.
  var revocationPlace: String {
    let places = [
      revocationFile.map { "file \"\($0)\"" },
      revocationDirectory.map { "directory \"\($0)\"" },
    ]
    return places.compactMap { $0 }.joined(separator: " or ")
  }

  private static func roots(
    _ options: ConnectionOptions, _ mode: SSLMode
  ) throws(PGError) -> Roots {
    if let named = options.sslRootCertificate, !named.isEmpty {
      try TLSFiles.requireReadable(named, "root certificate file", remedy: remedy)
      return .file(named)
    }
    guard mode >= .verifyCA else { return .unchecked }
    throw .option("sslmode=\(mode.rawValue) needs a root certificate file", hint: remedy)
  }

  private static let remedy =
    "Provide the file, name it with sslrootcert, use the system's trusted roots with "
    + "sslrootcert=system, or change sslmode to disable server certificate verification."

  private mutating func findRevocations(_ options: ConnectionOptions) throws(PGError) {
    let file = options.sslRevocationList.flatMap { $0.isEmpty ? nil : $0 }
    let folder = options.sslRevocationDirectory.flatMap { $0.isEmpty ? nil : $0 }
    if roots == .unchecked, file ?? folder != nil {
      throw .option(
        "certificate revocation lists cannot be checked without a root certificate",
        hint: "Name the root certificate file with sslrootcert.")
    }
    if let file { try TLSFiles.requireReadable(file, "certificate revocation list file") }
    if let folder { try TLSFiles.requireDirectory(folder, "certificate revocation list directory") }
    (revocationFile, revocationDirectory) = (file, folder)
  }
}
