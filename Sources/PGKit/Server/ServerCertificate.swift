#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A certificate for a throwaway server, with an authority that signs nothing else: its key is gone
/// before the server starts.
struct ServerCertificate: Sendable {
  /// Where everything is made.
  let directory: String
  /// Whose the files are; `nil` is the caller.
  let user: ServerUser?

  /// How long one command may take.
  private static let patience = Duration.seconds(20)

  static func rootPath(in directory: String) -> String { directory + "/root.crt" }

  /// The settings that make a server use it.
  var settings: [ConnectionOptions.Setting] {
    [
      .init("ssl", "on"), .init("ssl_cert_file", directory + "/server.crt"),
      .init("ssl_key_file", directory + "/server.key"),
    ]
  }

  /// Makes authority, key and certificate with the `openssl` command.
  ///
  /// - Throws: ``PGError`` `-C000` if there is no such command, or it fails.
  func make() throws(PGError) {
    let program = try Self.findProgram()
    try write("openssl.cnf", Self.configuration)
    let request =
      ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
      + ["-config", "openssl.cnf"]
    try run(
      program,
      request + ["-x509", "-days", "30", "-subj", "/CN=pgkit throwaway authority"]
        + ["-extensions", "authority", "-keyout", "root.key", "-out", "root.crt"])
    try run(
      program,
      request + ["-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"])
    try run(
      program,
      ["x509", "-req", "-in", "server.csr", "-CA", "root.crt", "-CAkey", "root.key"]
        + ["-set_serial", "2", "-days", "30", "-extfile", "openssl.cnf", "-extensions", "server"]
        + ["-out", "server.crt"])
    for name in ["root.key", "server.csr", "openssl.cnf"] { unlink("\(directory)/\(name)") }
  }

  private static let configuration = """
    [req]
    distinguished_name = nothing
    prompt = no
    [nothing]
    [authority]
    basicConstraints = critical,CA:TRUE
    keyUsage = critical,keyCertSign,cRLSign
    [server]
    basicConstraints = CA:FALSE
    extendedKeyUsage = serverAuth
    subjectAltName = DNS:localhost,IP:127.0.0.1,IP:::1

    """

  private static func findProgram() throws(PGError) -> String {
    let path = ProcessEnvironment.current["PATH"] ?? "/usr/bin:/bin"
    for directory in path.split(separator: ":") {
      let program = "\(directory)/openssl"
      if directory.hasPrefix("/"), FileStatus.isExecutable(program) { return program }
    }
    throw .cluster(
      "TLS needs the command openssl to make a certificate, and there is none",
      hint: "Install OpenSSL's command-line program.")
  }

  private func write(_ name: String, _ text: String) throws(PGError) {
    let path = "\(directory)/\(name)"
    do { try OpenFile.create(path, owner: user, Array(text.utf8)) } catch {
      throw .cluster("could not write \"\(path)\"", error)
    }
  }

  /// The files are the server user's from the beginning, and no one else's: OpenSSL gives keys mode
  /// 600.
  private func run(_ program: String, _ arguments: [String]) throws(PGError) {
    var launch = ProcessLaunch(
      program, arguments, environment: ProcessEnvironment.forServer(as: user))
    launch.user = user
    launch.directory = directory
    let (ending, text) = try launch.capture(until: .after(Self.patience))
    if ending.isSuccess { return }
    throw .cluster("openssl \(ending) while it made a certificate:\n\(text)")
  }
}
