import COpenSSL

/// What TLS sessions to one server share: whom they trust, who they are, which versions they speak.
///
/// Making one reads files and takes milliseconds, so that is done only when TLS is wanted; one
/// context serves any number of connections.
///
/// Unchecked, because OpenSSL's context may be used from any thread once it is set up, and it is set
/// up before the initializer returns.
final class TLSContext: @unchecked Sendable {
  /// OpenSSL's `SSL_CTX`.
  let handle: OpaquePointer
  /// Whom it trusts.
  let trust: TLSTrust
  /// The oldest and newest versions allowed; no newest means whatever OpenSSL has.
  let versions: (oldest: TLSVersion, newest: TLSVersion?)
  /// Whether the server is told the name that it is wanted under.
  let sendsServerName: Bool
  /// The file of the certificate that is shown to servers that ask.
  let clientCertificate: String?

  /// Whether the server's certificate must be signed by a trusted authority.
  var verifiesChain: Bool { trust.roots != .unchecked }
  /// Whether it must name the host.
  var verifiesHost: Bool { trust.mode == .verifyFull }

  /// Makes a context of the `ssl…` members of `options`.
  ///
  /// - Throws: ``PGError`` `-*000` that names the file or option that cannot be used.
  init(_ options: ConnectionOptions) throws(PGError) {
    trust = try TLSTrust(options)
    versions = (options.sslMinimumVersion ?? .tls12, options.sslMaximumVersion)
    sendsServerName = options.sslServerNameIndication ?? true
    let identity = try TLSIdentity(options)
    clientCertificate = identity?.certificate
    OpenSSL.clearErrors()
    guard let made = SSL_CTX_new(TLS_client_method()) else {
      throw .cannotConnect("could not create TLS context: \(OpenSSL.takeErrorText())")
    }
    handle = made
    // From here on deinit frees the context when the rest throws.
    SSL_CTX_set_options(handle, OpenSSL.sessionOptions)
    _ = SSL_CTX_ctrl(handle, SSL_CTRL_MODE, OpenSSL.writeModes, nil)
    _ = SSL_CTX_ctrl(handle, SSL_CTRL_SET_SESS_CACHE_MODE, Int(SSL_SESS_CACHE_OFF), nil)
    readInLargePieces()
    try setVersions()
    try setTrust()
    try identity?.apply(to: handle)
  }

  deinit { SSL_CTX_free(handle) }

  /// Two records for one system call instead of one record for two.
  private func readInLargePieces() {
    _ = SSL_CTX_ctrl(handle, SSL_CTRL_SET_READ_AHEAD, 1, nil)
    SSL_CTX_set_default_read_buffer_len(handle, 36 * 1024)
  }

  private func setVersions() throws(PGError) {
    if let newest = versions.newest, newest < versions.oldest {
      throw .option(
        "ssl_max_protocol_version \(newest.rawValue) is below ssl_min_protocol_version "
          + versions.oldest.rawValue)
    }
    let newest = versions.newest?.number ?? 0
    guard
      SSL_CTX_ctrl(handle, SSL_CTRL_SET_MIN_PROTO_VERSION, versions.oldest.number, nil) == 1,
      SSL_CTX_ctrl(handle, SSL_CTRL_SET_MAX_PROTO_VERSION, newest, nil) == 1
    else { throw .option("could not set the TLS versions: \(OpenSSL.takeErrorText())") }
  }

  private func setTrust() throws(PGError) {
    switch trust.roots {
    case .unchecked:
      SSL_CTX_set_verify(handle, SSL_VERIFY_NONE, nil)
      return
    case .system:
      guard SSL_CTX_set_default_verify_paths(handle) == 1 else {
        throw .option("could not load the system's trusted roots: \(OpenSSL.takeErrorText())")
      }
    case .file(let path):
      guard SSL_CTX_load_verify_file(handle, path) == 1 else {
        throw .option(
          "could not read root certificate file \"\(path)\": \(OpenSSL.takeErrorText())")
      }
    }
    SSL_CTX_set_verify(handle, SSL_VERIFY_PEER) { VerificationTrace.observe($0, $1) }
    try setRevocations()
  }

  private func setRevocations() throws(PGError) {
    guard trust.revocationFile ?? trust.revocationDirectory != nil else { return }
    guard let store = SSL_CTX_get_cert_store(handle) else {
      throw .option("could not use certificate revocation lists: \(OpenSSL.takeErrorText())")
    }
    if let file = trust.revocationFile {
      // Not X509_STORE_load_file: that would trust certificates found in this file, too.
      guard let lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file()),
        X509_load_crl_file(lookup, file, X509_FILETYPE_PEM) > 0
      else {
        throw .option(
          "could not read certificate revocation list file \"\(file)\": "
            + OpenSSL.takeErrorText())
      }
    }
    if let directory = trust.revocationDirectory, X509_STORE_load_path(store, directory) != 1 {
      throw .option(
        "could not use certificate revocation list directory \"\(directory)\": "
          + OpenSSL.takeErrorText())
    }
    X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
  }
}
