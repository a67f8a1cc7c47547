internal import Glibc

/// A file that appears under its name only when it is complete: until then the name stands for what it
/// stood for before, and a program that fails or is killed leaves nothing.
///
/// A name that is no plain file, such as `/dev/null` or a pipe, is written to directly.
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
    self.path = Self.target(of: path)
    if Self.kind(of: path) == S_IFDIR { throw Self.failure(path, EISDIR, program) }
    isDirect = !isAtomic || Self.isSpecial(path)
    if isDirect {
      descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    } else {
      let directory = Self.directory(of: self.path)
      var file = open(directory, Self.withoutName | O_WRONLY | O_CLOEXEC, 0o666)
      if file < 0, errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT {
        let name = Self.temporaryName(beside: self.path)
        file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        if file >= 0 { temporary = name }
      }
      descriptor = file
    }
    guard descriptor >= 0 else { throw Self.failure(path, errno, program) }
    // The file keeps the permissions of the one whose place it takes.
    var status = stat()
    if !isDirect, stat(self.path, &status) == 0 { fchmod(descriptor, status.st_mode & 0o7777) }
    output = StandardOutput(
      descriptor: dup(descriptor), name: path, buffering: .blockBuffered)
  }

  /// Writes what is left, makes sure that it is on the disk, and gives the file its name.
  ///
  /// - Throws: ``StandardOutput/Failure``.
  public func finish() throws(StandardOutput.Failure) {
    try output.finish()
    if isDirect { return }
    guard fsync(descriptor) == 0 else { throw fault(errno) }
    let name: String
    if let temporary { name = temporary } else { name = try link() }
    temporary = name
    guard rename(name, path) == 0 else { throw fault(errno) }
    temporary = nil
    // The directory holds the name; a system without this is none that loses names.
    let directory = open(Self.directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
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

  /// The file that a name means, links followed.
  private static func target(of path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
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
