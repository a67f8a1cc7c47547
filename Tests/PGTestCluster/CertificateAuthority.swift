import Foundation
import Synchronization

/// An authority that signs certificates for tests, with the `openssl` command, in a directory of
/// its own that is removed with it.
public final class CertificateAuthority: Sendable {
  /// A certificate and its private key, as files.
  public struct Credentials: Sendable {
    /// The certificate's file.
    public let certificate: String
    /// The key's file.
    public let key: String
  }

  /// What kind of key is made.
  public enum KeyKind: Sendable {
    case elliptic
    case ed25519
    case rsa

    fileprivate var arguments: [String] {
      switch self {
      case .elliptic: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
      case .ed25519: ["-newkey", "ed25519"]
      case .rsa: ["-newkey", "rsa:2048"]
      }
    }
  }

  /// What a certificate is for.
  public enum Purpose: String, Sendable {
    case server = "serverAuth"
    case client = "clientAuth"
  }

  /// Why the command did not do what it was told.
  public struct CommandFailed: Error, CustomStringConvertible {
    /// What the command said.
    public let description: String
  }

  /// The `openssl` command; tests that need it are to be skipped without it.
  public static let command: String? =
    (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")
    .split(separator: ":").map { "\($0)/openssl" }
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// Whether there is an `openssl` command.
  public static var isAvailable: Bool { command != nil }

  private let directory: String
  private let ownsDirectory: Bool
  /// The authority's own certificate and key.
  public let root: Credentials

  /// Makes an authority that signs itself.
  public init(named name: String = "Test CA") throws {
    directory = NSTemporaryDirectory() + "authority-\(UUID().uuidString)"
    ownsDirectory = true
    Self.removeAtExit(directory)
    root = Credentials(certificate: directory + "/ca.crt", key: directory + "/ca.key")
    try prepare()
    try run(
      ["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=\(name)", "-config", configuration]
        + ["-extensions", "authority", "-keyout", root.key, "-out", root.certificate]
        + KeyKind.elliptic.arguments)
  }

  /// Makes an authority between `parent` and the certificates that it signs.
  public init(named name: String, under parent: CertificateAuthority) throws {
    directory = parent.directory + "/under-\(UUID().uuidString)"
    ownsDirectory = false
    root = Credentials(certificate: directory + "/ca.crt", key: directory + "/ca.key")
    try prepare()
    try parent.sign(
      root, subject: "/CN=\(name)", extensions: "basicConstraints=critical,CA:TRUE",
      validity: .now, key: .elliptic)
  }

  deinit {
    if ownsDirectory { try? FileManager.default.removeItem(atPath: directory) }
  }

  /// What is kept until the process ends is never deinitialized.
  private static let leftovers = Mutex<[String]>([])
  private static let removal: Int32 = atexit {
    CertificateAuthority.leftovers.withLock { directories in
      for directory in directories { try? FileManager.default.removeItem(atPath: directory) }
    }
  }

  private static func removeAtExit(_ directory: String) {
    leftovers.withLock { $0.append(directory) }
    _ = removal
  }

  /// When a certificate is valid.
  public enum Validity: Sendable {
    case now
    case past
    case future

    fileprivate var arguments: [String] {
      switch self {
      case .now: ["-days", "20"]
      case .past: ["-startdate", "20010101000000Z", "-enddate", "20020101000000Z"]
      case .future: ["-startdate", "20490101000000Z", "-enddate", "20491231000000Z"]
      }
    }
  }

  /// Makes and signs a certificate.
  ///
  /// - Parameter alternatives: Alternative names as `openssl` writes them: `DNS:a`, `IP:127.0.0.1`.
  public func issue(
    subject: String = "/CN=server", alternatives: [String] = [], purpose: Purpose = .server,
    validity: Validity = .now, key: KeyKind = .elliptic
  ) throws -> Credentials {
    let made = newCredentials()
    var extensions = "basicConstraints=CA:FALSE\nextendedKeyUsage=\(purpose.rawValue)\n"
    if !alternatives.isEmpty {
      extensions += "subjectAltName=\(alternatives.joined(separator: ","))\n"
    }
    try sign(made, subject: subject, extensions: extensions, validity: validity, key: key)
    return made
  }

  /// Makes a certificate that signs itself.
  ///
  /// - Parameter signature: Options of the signature: `-sha384`, `-sigopt`, ….
  public func selfSigned(
    subject: String = "/CN=server", key: KeyKind = .elliptic, signature: [String] = []
  ) throws -> Credentials {
    let made = newCredentials()
    try run(
      ["req", "-x509", "-nodes", "-days", "30", "-subj", subject, "-config", configuration]
        + ["-keyout", made.key, "-out", made.certificate] + key.arguments + signature)
    return made
  }

  /// Copies a private key under a passphrase.
  public func encrypt(_ key: String, passphrase: String) throws -> String {
    let encrypted = newPath(".key")
    try run(
      ["pkey", "-in", key, "-aes256", "-passout", "pass:\(passphrase)", "-out", encrypted])
    try setMode(0o600, of: encrypted)
    return encrypted
  }

  /// Takes a certificate back; it shows in lists written from then on.
  public func revoke(_ credentials: Credentials) throws {
    try run(["ca", "-config", configuration, "-revoke", credentials.certificate])
  }

  /// Writes the list of revoked certificates: a file, or `<hash>.r0` in a new directory.
  public func writeRevocationList(inDirectory: Bool = false) throws -> String {
    let file = newPath(".crl")
    try run(["ca", "-config", configuration, "-gencrl", "-out", file])
    guard inDirectory else { return file }
    let folder = newPath(".d")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let hash = try run(["crl", "-hash", "-noout", "-in", file])
      .trimmingCharacters(in: .whitespacesAndNewlines)
    try FileManager.default.copyItem(atPath: file, toPath: "\(folder)/\(hash).r0")
    return folder
  }

  /// The certificates of `credentials` and then of this authority, as one file.
  public func chain(_ credentials: Credentials) throws -> Credentials {
    let path = newPath(".crt")
    let parts = try [credentials.certificate, root.certificate].map {
      try String(contentsOfFile: $0, encoding: .utf8)
    }
    try parts.joined().write(toFile: path, atomically: true, encoding: .utf8)
    return Credentials(certificate: path, key: credentials.key)
  }

  /// A digest of the whole certificate, in hexadecimal.
  public func digest(_ credentials: Credentials, _ algorithm: String) throws -> String {
    let binary = newPath(".der")
    try run(["x509", "-in", credentials.certificate, "-outform", "DER", "-out", binary])
    let line = try run(["dgst", "-\(algorithm)", "-r", binary])
    return String(line.prefix { $0 != " " })
  }

  /// A path in the authority's directory where there is nothing yet.
  public func newPath(_ suffix: String) -> String { "\(directory)/\(UUID().uuidString)\(suffix)" }

  /// Sets the permissions of a file.
  public func setMode(_ mode: Int, of path: String) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }
}

// The command
extension CertificateAuthority {
  private var configuration: String { directory + "/ca.cnf" }

  private func newCredentials() -> Credentials {
    let path = newPath("")
    return Credentials(certificate: path + ".crt", key: path + ".key")
  }

  private func prepare() throws {
    try FileManager.default.createDirectory(
      atPath: directory + "/issued", withIntermediateDirectories: true)
    let text = """
      [ca]
      default_ca = here
      [here]
      new_certs_dir = \(directory)/issued
      database = \(directory)/index.txt
      serial = \(directory)/serial
      crlnumber = \(directory)/crlnumber
      certificate = \(root.certificate)
      private_key = \(root.key)
      default_md = sha256
      default_crl_days = 30
      policy = anything
      unique_subject = no
      copy_extensions = none
      [anything]
      commonName = optional
      organizationName = optional
      [req]
      distinguished_name = nothing
      prompt = no
      [nothing]
      [authority]
      basicConstraints = critical,CA:TRUE
      keyUsage = critical,keyCertSign,cRLSign
      subjectKeyIdentifier = hash

      """
    try text.write(toFile: configuration, atomically: true, encoding: .utf8)
    try "".write(toFile: directory + "/index.txt", atomically: true, encoding: .utf8)
    for file in ["/serial", "/crlnumber"] {
      try "1000\n".write(toFile: directory + file, atomically: true, encoding: .utf8)
    }
  }

  private func sign(
    _ made: Credentials, subject: String, extensions: String, validity: Validity, key: KeyKind
  ) throws {
    let request = made.certificate + ".csr"
    try run(
      ["req", "-new", "-nodes", "-subj", subject, "-config", configuration, "-utf8"]
        + ["-keyout", made.key, "-out", request] + key.arguments)
    try setMode(0o600, of: made.key)
    let extensionFile = made.certificate + ".ext"
    try extensions.write(toFile: extensionFile, atomically: true, encoding: .utf8)
    try run(
      ["ca", "-batch", "-notext", "-config", configuration, "-in", request]
        + ["-out", made.certificate, "-extfile", extensionFile] + validity.arguments)
  }

  @discardableResult
  private func run(_ arguments: [String]) throws -> String {
    guard let command = Self.command else { throw CommandFailed(description: "no openssl") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command)
    process.arguments = arguments
    // The commands write little, so that no pipe fills while the other is read.
    let (output, errors) = (Pipe(), Pipe())
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let complaint = String(
      decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw CommandFailed(description: "openssl \(arguments): \(complaint)")
    }
    return text
  }
}
