import Foundation
import PGErrorCodes
import PGTestCluster
import Testing

@testable import PGKit

@Suite(
  "TLSContext",
  .enabled(if: CertificateAuthority.isAvailable, "the openssl command is not installed"))
struct TLSContextTests {
  let authority: CertificateAuthority
  let client: CertificateAuthority.Credentials

  init() throws {
    authority = try CertificateAuthority()
    client = try authority.issue(subject: "/CN=alice", purpose: .client)
  }

  private func options() -> ConnectionOptions {
    var options = ConnectionOptions()
    options.sslMode = .verifyFull
    options.sslRootCertificate = authority.root.certificate
    options.sslCertificate = client.certificate
    options.sslKey = client.key
    return options
  }

  /// The message with which a context is refused.
  private func refusal(_ change: (inout ConnectionOptions) throws -> Void) throws -> PGError {
    var options = options()
    try change(&options)
    let error = #expect(throws: PGError.self) { try TLSContext(options) }
    return try #require(error)
  }

  @Test("takes certificate and key")
  func identity() throws {
    #expect(try TLSContext(options()).clientCertificate == client.certificate)
  }

  @Test("refuses a certificate without a key")
  func missingKey() throws {
    for key in [nil, ""] {
      #expect(try refusal { $0.sslKey = key }.message.contains("its private key is not"))
    }
  }

  @Test("without a certificate there is no identity, and that is all right")
  func noIdentity() throws {
    var options = options()
    (options.sslCertificate, options.sslKey) = (nil, nil)
    #expect(try TLSContext(options).clientCertificate == nil)
  }

  @Test(
    "refuses a key that others can read, naming file and mode",
    arguments: [0o644, 0o640, 0o660, 0o604])
  func openKey(mode: Int) throws {
    try authority.setMode(mode, of: client.key)
    // In a file of root's, the group may read.
    if mode == 0o640 && geteuid() == 0 {
      _ = try TLSContext(options())
      return
    }
    let error = try refusal { _ in }
    #expect(error.code == .clientParameterError)
    #expect(error.message.contains(client.key))
    #expect(error.message.contains("mode 0" + String(mode, radix: 8)))
    #expect(error.hint?.contains("0600") == true)
  }

  @Test("refuses a key that is not a file, or is missing")
  func strangeKey() throws {
    #expect(
      try refusal { $0.sslKey = "/dev/null" }.message
        == "private key file \"/dev/null\" is not a regular file")
    #expect(try refusal { $0.sslKey = "/none.key" }.message.contains("does not exist"))
    #expect(try refusal { $0.sslCertificate = "/none.crt" }.message.contains("does not exist"))
  }

  @Test("refuses a key of another user", .enabled(if: geteuid() == 0, "only root can give away"))
  func foreignKey() throws {
    try #require(chown(client.key, 12_345, 0) == 0)
    #expect(try refusal { _ in }.message.contains("owned by user number 12345"))
  }

  @Test("an encrypted key without a passphrase is an error, never a prompt")
  func encryptedKey() throws {
    let encrypted = try authority.encrypt(client.key, passphrase: "open sesame")
    let missing = try refusal { $0.sslKey = encrypted }
    #expect(missing.message == "private key file \"\(encrypted)\" is encrypted")
    #expect(missing.hint?.contains("sslpassword") == true)
    let wrong = try refusal {
      $0.sslKey = encrypted
      $0.sslPassword = "close sesame"
    }
    #expect(wrong.message.contains("could not be decrypted"))
    #expect(!"\(wrong) \(wrong.hint ?? "")".contains("close sesame"))
    let long = try refusal {
      $0.sslKey = encrypted
      $0.sslPassword = String(repeating: "x", count: 5_000)
    }
    #expect(long.message.contains("could not be decrypted"))
    var options = options()
    options.sslKey = encrypted
    options.sslPassword = "open sesame"
    _ = try TLSContext(options)
  }

  @Test("refuses a key of another certificate, and what is no key or certificate")
  func mismatch() throws {
    let other = try authority.issue(purpose: .client)
    let error = try refusal { $0.sslKey = other.key }
    #expect(error.message.contains(client.certificate))
    #expect(error.message.contains(other.key))
    let nonsense = authority.newPath(".txt")
    try "nonsense".write(toFile: nonsense, atomically: true, encoding: .utf8)
    try authority.setMode(0o600, of: nonsense)
    #expect(try refusal { $0.sslKey = nonsense }.message.contains("could not read private key"))
    #expect(
      try refusal { $0.sslCertificate = nonsense }.message.contains("could not read certificate"))
    #expect(
      try refusal { $0.sslRootCertificate = nonsense }.message
        .contains("could not read root certificate file"))
    #expect(
      try refusal { $0.sslRevocationList = nonsense }.message
        .contains("could not read certificate revocation list file"))
  }

  @Test("a certificate in the place of a revocation list is not trusted instead")
  func certificateAsList() throws {
    let stranger = try CertificateAuthority(named: "Stranger")
    let error = try refusal { $0.sslRevocationList = stranger.root.certificate }
    #expect(error.message.contains("could not read certificate revocation list file"))
    withExtendedLifetime(stranger) {}
  }

  @Test("the oldest version is TLS 1.2 unless said otherwise, and bounds must not cross")
  func versions() throws {
    #expect(try TLSContext(options()).versions.oldest == .tls12)
    let error = try refusal {
      $0.sslMinimumVersion = .tls13
      $0.sslMaximumVersion = .tls12
    }
    #expect(error.message.contains("TLSv1.2 is below ssl_min_protocol_version TLSv1.3"))
    #expect(try refusal { $0.sslMaximumVersion = .tls11 }.code == .clientParameterError)
  }
}
