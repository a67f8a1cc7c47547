import COpenSSL

/// The certificate and key by which this end can prove who it is.
struct TLSIdentity {
  /// The certificate chain's file.
  let certificate: String
  /// The private key's file.
  let key: String
  /// The key's passphrase.
  private let passphrase: String?

  /// Takes the files that the options name; `nil` when they name no certificate.
  ///
  /// - Throws: ``PGError`` `-*000` when a file is missing, unreadable, or the key is not private.
  init?(_ options: ConnectionOptions) throws(PGError) {
    guard let named = options.sslCertificate, !named.isEmpty else { return nil }
    certificate = named
    try TLSFiles.requireReadable(certificate, "certificate file")
    key = try Self.key(of: certificate, options)
    try TLSFiles.requirePrivate(key)
    passphrase = options.sslPassword.flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func key(
    of certificate: String, _ options: ConnectionOptions
  ) throws(PGError) -> String {
    guard let named = options.sslKey, !named.isEmpty else {
      throw .option(
        "certificate \"\(certificate)\" is present, but its private key is not",
        hint: "Name the key's file with sslkey.")
    }
    try TLSFiles.requireReadable(named, "private key file")
    return named
  }

  /// Puts certificate and key into `context`.
  ///
  /// - Throws: ``PGError`` `-*000` when they cannot be understood or do not belong together.
  func apply(to context: OpaquePointer) throws(PGError) {
    let answer = PassphraseAnswer(passphrase)
    SSL_CTX_set_default_passwd_cb(context) { PassphraseAnswer.fill($0, $1, $3) }
    SSL_CTX_set_default_passwd_cb_userdata(context, Unmanaged.passUnretained(answer).toOpaque())
    defer {
      SSL_CTX_set_default_passwd_cb_userdata(context, nil)
      withExtendedLifetime(answer) {}
    }
    OpenSSL.clearErrors()
    guard SSL_CTX_use_certificate_chain_file(context, certificate) == 1 else {
      throw .option(
        "could not read certificate file \"\(certificate)\": \(OpenSSL.takeErrorText())")
    }
    try useKey(context, answer)
    guard SSL_CTX_check_private_key(context) == 1 else { throw mismatch }
  }

  private var mismatch: PGError {
    .option("certificate \"\(certificate)\" does not match private key file \"\(key)\"")
  }

  private func useKey(
    _ context: OpaquePointer, _ answer: PassphraseAnswer
  ) throws(PGError) {
    if SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 { return }
    let errors = OpenSSL.takeErrors()
    if errors.contains(where: \.meansKeyMismatch) { throw mismatch }
    if answer.wasAsked {
      throw passphrase == nil
        ? .option(
          "private key file \"\(key)\" is encrypted",
          hint: "Give its passphrase with sslpassword.")
        : .option("private key file \"\(key)\" could not be decrypted with sslpassword")
    }
    // As libpq does: what is not PEM may be DER.
    if SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_ASN1) == 1 { return }
    OpenSSL.clearErrors()
    let reason = errors.first.map { ": \($0)" } ?? ""
    throw .option("could not read private key file \"\(key)\"\(reason)")
  }
}

/// Answers OpenSSL's question for a passphrase; without one it refuses, so that nothing ever prompts.
private final class PassphraseAnswer {
  private let passphrase: String?
  private(set) var wasAsked = false

  init(_ passphrase: String?) { self.passphrase = passphrase }

  private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int32 {
    wasAsked = true
    guard let bytes = passphrase?.utf8, bytes.count <= buffer.count else { return -1 }
    buffer.copyBytes(from: bytes)
    return Int32(truncatingIfNeeded: bytes.count)
  }

  static func fill(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ userdata: UnsafeMutableRawPointer?
  ) -> Int32 {
    guard let buffer, let userdata, size > 0 else { return -1 }
    let answer = Unmanaged<PassphraseAnswer>.fromOpaque(userdata).takeUnretainedValue()
    return answer.fill(.init(start: buffer, count: Int(size)))
  }
}
