extension ConnectionOptions {
  /// These options, checked against each other, with what they imply said outright.
  ///
  /// - `sslrootcert=system` makes `verify-full` the default `sslmode`.
  /// - `sslcertmode=disable` takes the client certificate away.
  ///
  /// - Throws: ``PGError`` with ``SQLState/clientParameterError`` naming what contradicts what.
  public func validated() throws(PGError) -> ConnectionOptions {
    var result = self
    if sslRootCertificate == "system", sslMode == nil { result.sslMode = .verifyFull }
    if sslCertificateMode == .disable {
      result.sslCertificate = nil
      result.sslKey = nil
    }
    try result.checkTexts()
    try result.checkSecurity()
    _ = try result.endpoints()
    return result
  }

  /// What ends at a NUL on the wire or in the operating system must not hold one.
  private func checkTexts() throws(PGError) {
    for keyword in OptionKeyword.all {
      if keyword.access.format(self)?.utf8.contains(0) == true {
        throw .option("option \"\(keyword.name)\" holds a NUL byte")
      }
    }
    for setting in settings {
      if setting.name.isEmpty { throw .option("a server setting has no name") }
      if setting.name.hasPrefix("_pq_.") {
        throw .option("settings that begin with \"_pq_.\" belong to the protocol")
      }
      if setting.name.utf8.contains(0) || setting.value.utf8.contains(0) {
        throw .option("a server setting holds a NUL byte")
      }
    }
  }

  private func checkSecurity() throws(PGError) {
    let mode = sslMode ?? .prefer
    if sslRootCertificate == "system", mode != .verifyFull {
      throw .option(
        "sslrootcert=system with sslmode=\(mode.rawValue) would trust anybody's certificate",
        hint: "Use sslmode=verify-full.")
    }
    if sslNegotiation == .direct, !mode.requiresTLS {
      throw .option(
        "sslnegotiation=direct with sslmode=\(mode.rawValue) could not fall back to plaintext",
        hint: "Use sslmode=require or above.")
    }
    if let maximum = sslMaximumVersion, maximum < sslMinimumVersion ?? .tls12 {
      throw .option(
        "ssl_min_protocol_version is above ssl_max_protocol_version",
        hint: "The lowest version is TLSv1.2 unless ssl_min_protocol_version says otherwise.")
    }
  }
}
