/// The names that a certificate gives its owner, and libpq's rules of matching a host with them.
///
/// - A host that is an IP address matches an equal iPAddress, or a dNSName or common name that
///   spells it.
/// - A name matches without regard to the case of ASCII letters. `*.` in front stands for exactly
///   one label; an asterisk anywhere else is an ordinary character.
/// - The common name counts only if no alternative name is of the host's kind.
///
/// Source: RFC 6125; PostgreSQL manual, "Client Verification of Server Certificates".
struct CertificateNames: Equatable {
  /// One entry of the subjectAltName extension.
  enum Alternative: Equatable {
    case dns([UInt8])
    case address([UInt8])
  }

  /// The alternative names in their order.
  var alternatives: [Alternative] = []
  /// The first common name of the subject.
  var commonName: [UInt8]?

  /// Checks that the certificate is for `host`.
  ///
  /// - Throws: ``PGError`` `--SEC` when it is not, `-*000` when there is no host to check.
  func verify(host: String) throws(PGError) {
    guard !host.isEmpty else {
      throw .option("a host name must be specified for a verified TLS connection")
    }
    guard try !matches(host: host) else { return }
    throw .insecure(mismatch(host), hint: Self.hint)
  }

  private static let hint =
    "Connect by a name that the certificate has; hostaddr can say where that is."

  private func matches(host: String) throws(PGError) -> Bool {
    let address = NumericAddress.parse(host)
    for alternative in alternatives {
      switch alternative {
      case .dns(let name): if try Self.name(name, matches: host, address) { return true }
      case .address(let bytes): if bytes == address { return true }
      }
    }
    guard let commonName, !hasAlternative(likeAddress: address != nil) else { return false }
    return try Self.name(commonName, matches: host, address)
  }

  private func hasAlternative(likeAddress: Bool) -> Bool {
    alternatives.contains { alternative in
      switch alternative {
      case .dns: !likeAddress
      case .address: likeAddress
      }
    }
  }

  private static func name(
    _ name: [UInt8], matches host: String, _ address: [UInt8]?
  ) throws(PGError) -> Bool {
    if name.contains(0) {
      throw .insecure("the server certificate has a name with an embedded NUL byte")
    }
    var wanted = host.utf8.map(ASCII.lowercased)
    // A full stop at the end only says that the name is complete.
    if wanted.last == ASCII.dot, wanted.count > 1 { wanted.removeLast() }
    let pattern = name.map(ASCII.lowercased)
    if pattern == wanted { return true }
    return address == nil && wildcard(pattern, matches: wanted)
  }

  private static func wildcard(_ pattern: [UInt8], matches host: [UInt8]) -> Bool {
    guard pattern.count >= 3, pattern.starts(with: [UInt8(ascii: "*"), ASCII.dot]),
      let dot = host.firstIndex(of: ASCII.dot), dot > 0
    else { return false }
    return host[dot...] == pattern[1...]
  }

  private func mismatch(_ host: String) -> String {
    var names = alternatives.map(Self.text)
    if let commonName, !hasAlternative(likeAddress: NumericAddress.parse(host) != nil) {
      names.append(Self.printable(commonName))
    }
    guard let first = names.first else {
      return "the server certificate has no name that could match host name \"\(host)\""
    }
    let others =
      names.count > 1 ? " (and \(names.count - 1) other name\(names.count > 2 ? "s" : ""))" : ""
    return "server certificate for \"\(first)\"\(others) does not match host name \"\(host)\""
  }

  private static func text(_ alternative: Alternative) -> String {
    switch alternative {
    case .dns(let name): printable(name)
    case .address(let bytes): NumericAddress.format(bytes) ?? "(invalid address)"
    }
  }
}

extension CertificateNames {
  /// A name out of a certificate for a message: what is not plain ASCII is escaped, and a name
  /// longer than any host's is cut.
  fileprivate static func printable(_ name: [UInt8]) -> String {
    let limit = 255
    let text = name.prefix(limit).map { byte in
      (0x20..<0x7f).contains(byte)
        ? String(Unicode.Scalar(byte)) : "\\x" + String(byte, radix: 16)
    }
    return text.joined() + (name.count > limit ? "…" : "")
  }
}

extension ASCII {
  /// The lower case of an ASCII letter; other bytes as they are.
  fileprivate static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
  }
}
