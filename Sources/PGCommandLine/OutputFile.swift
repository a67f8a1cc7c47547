internal import Glibc

/// A file that appears under its name only when it is complete: until then the name stands for what it
/// stood for before, and a program that fails or is killed leaves nothing.
///
/// A name that is no plain file, such as `/dev/null` or a pipe, is written to directly. `/dev/stdout`,
/// `/dev/fd/3` and their like mean the open descriptor, whatever file it is: what it holds stays, and what is
/// written comes behind it.
public final class OutputFile {
  /// Where its bytes go.
  public let output: StandardOutput
  /// The name that it will have, links followed.
  private let path: String
  private let program: String
  private let descriptor: CInt
  /// The name that it has until then; `nil` for a file that has none yet.
  private var temporary: String?
  private let isDirect: Bool

  /// `O_TMPFILE`, a macro that Swift does not see: the file has no name until it is given one.
  private static let withoutName: CInt = 0o20_000_000 | O_DIRECTORY

  /// Opens it.
  ///
  /// - Parameter isAtomic: Whether the file is to appear only when it is complete.
  /// - Throws: ``Failure`` with status 1 naming the file and the reason.
  public init(_ path: String, program: String, isAtomic: Bool = true) throws(Failure) {
    self.program = program
    let target = Self.target(of: path)
    self.path = target
    let open = Self.descriptor(named: target)
    if open == nil, Self.kind(of: target) == S_IFDIR { throw Self.failure(path, EISDIR, program) }
    isDirect = !isAtomic || open != nil || Self.isSpecial(target)
    if let open {
      descriptor = try Self.duplicate(open, path, program)
    } else if isDirect {
      descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    } else {
      let directory = Self.directory(of: self.path)
      var file = Glibc.open(directory, Self.withoutName | O_WRONLY | O_CLOEXEC, 0o666)
      if file < 0, errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT {
        let name = Self.temporaryName(beside: self.path)
        file = Glibc.open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if file >= 0 { temporary = name }
      }
      if file < 0, errno == EACCES || errno == EPERM {
        throw Self.failure("\(path): a file cannot be made in \(directory)", errno, program)
      }
      descriptor = file
    }
    guard descriptor >= 0 else { throw Self.failure(path, errno, program) }
    if !isDirect { Self.keepRights(of: target, on: descriptor, program) }
    let second = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
    guard second >= 0 else {
      let fault = errno
      close(descriptor)
      throw Self.failure(path, fault, program)
    }
    output = StandardOutput(descriptor: second, name: path, buffering: .blockBuffered)
  }

  /// Gives the file the owner and the permissions of the one whose place it takes.
  private static func keepRights(of path: String, on descriptor: CInt, _ program: String) {
    var (old, new) = (stat(), stat())
    guard stat(path, &old) == 0, fstat(descriptor, &new) == 0 else { return }
    if old.st_uid != new.st_uid || old.st_gid != new.st_gid,
      fchown(descriptor, old.st_uid, old.st_gid) != 0,
      fchown(descriptor, uid_t.max, old.st_gid) != 0 || old.st_uid != new.st_uid
    {
      Diagnostic(
        program: program, severity: .warning,
        message: "\(path) belongs to somebody else, and will belong to who replaces it"
      ).print()
    }
    fchmod(descriptor, old.st_mode & 0o7777)
  }

  /// A descriptor of our own for one that is open.
  private static func duplicate(
    _ open: CInt, _ path: String, _ program: String
  ) throws(Failure) -> CInt {
    let flags = fcntl(open, F_GETFL)
    guard flags >= 0, flags & O_ACCMODE != O_RDONLY else { throw failure(path, EBADF, program) }
    return fcntl(open, F_DUPFD_CLOEXEC, 3)
  }

  /// The number of the open descriptor that a name means: that of `/dev/stdout` is 1.
  private static func descriptor(named path: String) -> CInt? {
    if path == "/dev/stdout" { return STDOUT_FILENO }
    if path == "/dev/stderr" { return STDERR_FILENO }
    for folder in ["/dev/fd/", "/proc/self/fd/", "/proc/\(getpid())/fd/"]
    where path.hasPrefix(folder) {
      return CInt(path.dropFirst(folder.count))
    }
    return nil
  }

  /// Whether a name means a plain file, or nothing yet, so that a file can take its place when it is
  /// complete.
  public static func isReplaceable(_ path: String) -> Bool {
    let target = target(of: path)
    return descriptor(named: target) == nil && !isSpecial(target)
  }

  /// Whether two names mean one plain file; `-` is stdin.
  public static func isSameFile(_ first: String, _ second: String) -> Bool {
    func status(of path: String) -> stat? {
      var status = stat()
      let result = path == "-" ? fstat(STDIN_FILENO, &status) : stat(path, &status)
      return result == 0 && status.st_mode & S_IFMT == S_IFREG ? status : nil
    }
    guard let first = status(of: first), let second = status(of: second) else { return false }
    return first.st_dev == second.st_dev && first.st_ino == second.st_ino
  }

  /// Writes what is left, makes sure that it is on the disk, and gives the file its name.
  ///
  /// - Throws: ``StandardOutput/Failure``.
  public func finish() throws(StandardOutput.Failure) {
    try settle()
    try publish()
  }

  /// Writes what is left, and makes sure that it is on the disk; the name still means what it did.
  ///
  /// - Throws: ``StandardOutput/Failure``.
  public func settle() throws(StandardOutput.Failure) {
    try output.finish()
    if isDirect { return }
    guard fsync(descriptor) == 0 else { throw fault(errno) }
  }

  /// Gives a file that has settled its name.
  ///
  /// - Throws: ``StandardOutput/Failure``.
  public func publish() throws(StandardOutput.Failure) {
    if isDirect { return }
    let name: String
    if let temporary { name = temporary } else { name = try link() }
    temporary = name
    guard rename(name, path) == 0 else { throw fault(errno) }
    temporary = nil
    // The directory holds the name; a system without this is none that loses names.
    let directory = Glibc.open(Self.directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }

  /// Ends in failure: what is written directly is kept as far as it goes; otherwise nothing is left.
  public func abandon() {
    if isDirect { try? output.finish() }
    discard()
  }

  /// Forgets the file; what had the name before keeps it.
  private func discard() {
    if let temporary { unlink(temporary) }
    temporary = nil
  }

  deinit {
    discard()
    close(descriptor)
  }

  /// Gives the file, which has no name, one beside the name that it is to take.
  private func link() throws(StandardOutput.Failure) -> String {
    let name = Self.temporaryName(beside: path)
    let own = "/proc/self/fd/\(descriptor)"
    guard linkat(AT_FDCWD, own, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 else { throw fault(errno) }
    return name
  }

  private func fault(_ number: CInt) -> StandardOutput.Failure {
    StandardOutput.Failure(stream: path, errno: number)
  }

  private static func temporaryName(beside path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? "output"
    let number = String(UInt64.random(in: 0...UInt64.max), radix: 36)
    return "\(directory(of: path))/.\(name.prefix(100)).\(number)"
  }

  private static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The file that a name means, links followed, whether or not there is one; a name of an open descriptor
  /// stays what it is.
  private static func target(of path: String) -> String {
    var path = path
    for _ in 0..<linkLimit where descriptor(named: path) == nil {
      guard let link = destination(of: path) else { break }
      path = link.hasPrefix("/") ? link : directory(of: path) + "/" + link
    }
    return path
  }

  /// How many links the system follows, too.
  private static let linkLimit = 40

  /// What a symbolic link says; `nil` if it is none.
  private static func destination(of path: String) -> String? {
    var name = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &name, name.count)
    guard count > 0 else { return nil }
    return String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func isSpecial(_ path: String) -> Bool {
    kind(of: path).map { $0 != S_IFREG } ?? false
  }

  /// What the name stands for, links followed; `nil` if there is nothing.
  private static func kind(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }

  private static func failure(_ path: String, _ fault: CInt, _ program: String) -> Failure {
    Failure(
      .localFailure,
      Diagnostic(program: program, message: "\(path): \(Descriptor.reason(fault))"))
  }
}
