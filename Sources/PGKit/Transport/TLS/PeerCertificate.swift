import COpenSSL

/// The certificate that a server showed.
struct PeerCertificate: ~Copyable {
  /// OpenSSL's `X509`.
  private let handle: OpaquePointer

  /// The certificate that the other end of `session` showed, if any.
  init?(of session: OpaquePointer) {
    guard let handle = SSL_get1_peer_certificate(session) else { return nil }
    self.handle = handle
  }

  deinit { X509_free(handle) }

  /// Its names.
  var names: CertificateNames {
    CertificateNames(alternatives: alternatives, commonName: commonName)
  }

  private var alternatives: [CertificateNames.Alternative] {
    let extensionValue = X509_get_ext_d2i(handle, NID_subject_alt_name, nil, nil)
    guard let list = extensionValue.map({ OpaquePointer($0) }) else { return [] }
    defer { GENERAL_NAMES_free(list) }
    return (0..<max(0, OPENSSL_sk_num(list))).compactMap { index in
      OPENSSL_sk_value(list, index).flatMap {
        Self.alternative($0.assumingMemoryBound(to: GENERAL_NAME.self).pointee)
      }
    }
  }

  private static func alternative(_ name: GENERAL_NAME) -> CertificateNames.Alternative? {
    switch name.type {
    case GEN_DNS: bytes(of: name.d.dNSName).map { .dns($0) }
    case GEN_IPADD: bytes(of: name.d.iPAddress).map { .address($0) }
    default: nil
    }
  }

  private var commonName: [UInt8]? {
    guard let subject = X509_get_subject_name(handle) else { return nil }
    let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
    guard index >= 0, let entry = X509_NAME_get_entry(subject, index) else { return nil }
    return Self.bytes(of: X509_NAME_ENTRY_get_data(entry))
  }

  private static func bytes(of string: UnsafePointer<ASN1_STRING>?) -> [UInt8]? {
    guard let string, let start = ASN1_STRING_get0_data(string) else { return nil }
    return Array(UnsafeBufferPointer(start: start, count: Int(max(0, ASN1_STRING_length(string)))))
  }

  /// The digest for the channel binding `tls-server-end-point`, or `nil` when the certificate's
  /// signature has no single hash (Ed25519, Ed448).
  ///
  /// The hash is the signature's own; MD5 and SHA-1 give way to SHA-256. Source: RFC 5929, 4.1.
  var endpointDigest: [UInt8]? {
    guard let algorithm = digestAlgorithm else { return nil }
    return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(EVP_MAX_MD_SIZE)) {
      var count: UInt32 = 0
      guard X509_digest(handle, algorithm, $0.baseAddress, &count) == 1 else { return nil }
      return Array($0.prefix(Int(count)))
    }
  }

  private var digestAlgorithm: OpaquePointer? {
    var number: Int32 = 0
    guard X509_get_signature_info(handle, &number, nil, nil, nil) == 1 else { return nil }
    switch number {
    case NID_undef: return nil
    case NID_md5, NID_sha1: return EVP_sha256()
    default: return OBJ_nid2sn(number).flatMap { EVP_get_digestbyname($0) }
    }
  }
}
