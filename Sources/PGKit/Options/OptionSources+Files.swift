#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension OptionSources {
  /// The longest service or password file that is read.
  ///
  /// The longest real ones have some thousand lines.
  static let longestFile = 16 << 20

  /// Why a file was not read.
  enum FileFault: Error, Equatable {
    case missing, irregular, readableByOthers, tooLong
    case system(Int32)

    var message: String {
      switch self {
      case .missing: "it does not exist"
      case .irregular: "it is not a plain file"
      case .readableByOthers:
        "it has group or world access; permissions should be u=rw (0600) or less"
      case .tooLong: "it is longer than \(OptionSources.longestFile) bytes"
      case .system(let number): String(cString: strerror(number))
      }
    }
  }

  static let variable: @Sendable (String) -> String? = { name in
    getenv(name).map { String(cString: $0) }
  }

  static func exists(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0
  }

  /// The text of a service file; `nil` if there is none and need not be.
  static func readText(_ path: String, mustExist: Bool) throws(PGError) -> String? {
    do throws(FileFault) {
      if let text = String(validating: try read(path), as: UTF8.self) { return text }
    } catch {
      if error == .missing, !mustExist { return nil }
      throw .option("the service file \(path) cannot be read: \(error.message)")
    }
    throw .option("the service file \(path) is not UTF-8")
  }

  /// Reads a plain file whole.
  ///
  /// - Parameter isSecret: whether a file that others may read is refused.
  static func read(_ path: String, isSecret: Bool = false) throws(FileFault) -> [UInt8] {
    // A pipe in the file's place must not make the process wait.
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw errno == ENOENT ? .missing : .system(errno) }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0 else { throw .system(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .irregular }
    if isSecret, status.st_mode & (S_IRWXG | S_IRWXO) != 0 { throw .readableByOthers }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    while bytes.count <= longestFile {
      let count = chunk.withUnsafeMutableBytes { Self.readOnce(file, $0) }
      if count < 0 { throw .system(errno) }
      if count == 0 { return bytes }
      bytes += chunk.prefix(count)
    }
    throw .tooLong
  }

  private static func readOnce(_ file: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    while true {
      #if canImport(Glibc)
        let count = Glibc.read(file, buffer.baseAddress, buffer.count)
      #elseif canImport(Musl)
        let count = Musl.read(file, buffer.baseAddress, buffer.count)
      #else
        let count = Darwin.read(file, buffer.baseAddress, buffer.count)
      #endif
      if count >= 0 || errno != EINTR { return count }
    }
  }

  static func currentHomeDirectory() -> String? {
    if let home = variable("HOME"), !home.isEmpty { return home }
    return account { $0.pw_dir }
  }

  static func currentUserName() -> String? { account { $0.pw_name } }

  /// A text of the account that the process runs as.
  private static func account(_ text: (passwd) -> UnsafeMutablePointer<CChar>?) -> String? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 1 << 14)
    return buffer.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return nil }
      let status = getpwuid_r(geteuid(), &entry, base, buffer.count, &found)
      guard status == 0, found != nil else { return nil }
      return text(entry).map { String(cString: $0) }
    }
  }
}

extension OptionSources {
  /// What the password file had for one place.
  public struct PasswordLookup: Sendable, Equatable {
    /// The password, if there was one.
    public let password: String?
    /// Why the file was passed over, if it was.
    public let warning: String?
  }

  /// Looks the password for one place up in the options' password file.
  ///
  /// The password of the options, if there is one, wins, even an empty one. A file that is missing
  /// has nothing; one that others may read, or that is no plain file, is passed over with a warning.
  ///
  /// Source: PostgreSQL manual, "The Password File".
  public static func password(
    for endpoint: Endpoint, of options: ConnectionOptions
  ) -> PasswordLookup {
    if let password = options.password { return .init(password: password, warning: nil) }
    guard let path = options.passwordFile, !path.isEmpty else {
      return .init(password: nil, warning: nil)
    }
    let user = options.user ?? ""
    let database = options.database.flatMap { $0.isEmpty ? nil : $0 } ?? user
    do throws(FileFault) {
      let file = PasswordFile(parsing: try read(path, isSecret: true))
      let password = file.password(for: endpoint, database: database, user: user)
      return .init(password: password, warning: nil)
    } catch { return .init(password: nil, warning: warning(path, error)) }
  }

  func passwordFileWarnings(_ options: ConnectionOptions) -> [String] {
    guard options.password == nil, let path = options.passwordFile else { return [] }
    do throws(FileFault) { _ = try Self.read(path, isSecret: true) } catch {
      return Self.warning(path, error).map { [$0] } ?? []
    }
    return []
  }

  private static func warning(_ path: String, _ fault: FileFault) -> String? {
    fault == .missing ? nil : "password file \"\(path)\" is ignored: \(fault.message)"
  }
}

extension PasswordFile {
  /// Looks the password for one place up in the file at `path`, by the rules of
  /// ``OptionSources/password(for:of:)``.
  static func password(
    inFile path: String, for endpoint: Endpoint, database: String, user: String
  ) throws(PGError) -> String? {
    var options = ConnectionOptions()
    options.passwordFile = path
    options.user = user
    options.database = database
    return OptionSources.password(for: endpoint, of: options).password
  }
}
