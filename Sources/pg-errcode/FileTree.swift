internal import Glibc
internal import PGCommandLine

/// The files that an operand means: itself, what is below a directory, or what fits a pattern.
///
/// Links to files count, and links that lead nowhere, so that reading them says so. Links to
/// directories are not entered: they may lead in circles. An operand that is such a link itself is
/// meant.
struct FileTree {
  /// Deeper than source trees are.
  private static let maximumDepth = 64

  private enum Kind { case file, directory, linkToDirectory }

  private var found: Set<String> = []
  /// The directories that were read, each with the parts of the pattern that were wanted below it.
  private var visited: Set<String> = []

  /// The files, in the order of their names.
  ///
  /// - Throws: `Failure` with status 1 if no file fits.
  static func files(_ operand: String) throws(Failure) -> [String] {
    let kind = kind(operand)
    if operand == "-" || kind == .file { return [operand] }
    var tree = FileTree()
    var absence = "there is no file that fits"
    if kind != nil {
      tree.collect(below: operand, ["**", "*.sql"], depth: 0)
      absence = "the directory has no *.sql"
    } else if Wildcard(operand) != nil {
      tree.collect(matching: operand)
    } else {
      absence = "there is no such file"
    }
    guard !tree.found.isEmpty else {
      throw Failure(
        .localFailure,
        Diagnostic(
          program: ErrorCodeCommand.program,
          message: "\(Diagnostic.escapingControls(operand)): \(absence)"))
    }
    return tree.found.sorted()
  }

  /// Takes up the files that fit; reads no directory that the pattern does not lead into.
  private mutating func collect(matching pattern: String) {
    let parts = pattern.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let first = parts.firstIndex(where: { Wildcard($0) != nil }) else { return }
    let root = parts[..<first].joined(separator: "/")
    collect(below: first == 0 ? "" : root.isEmpty ? "/" : root, parts[first...], depth: 0)
  }

  /// `**` is any number of directories, also none; at the pattern's end, every file below.
  private mutating func collect(below directory: String, _ wanted: ArraySlice<String>, depth: Int) {
    guard depth < Self.maximumDepth, let part = wanted.first,
      visited.insert("\(wanted.count) \(directory)").inserted
    else { return }
    let rest = wanted.dropFirst()
    if part == "**", !rest.isEmpty { collect(below: directory, rest, depth: depth + 1) }
    let wildcard = Wildcard(part)
    for name in Self.names(in: directory) where part.hasPrefix(".") || !name.hasPrefix(".") {
      let path =
        directory.isEmpty || directory.hasSuffix("/") ? directory + name : directory + "/" + name
      guard wildcard?.matches(name) ?? (part == name), let kind = Self.kind(path) else { continue }
      if kind == .file {
        if rest.isEmpty { found.insert(path) }
      } else if part == "**" {
        if kind == .directory { collect(below: path, wanted, depth: depth + 1) }
      } else if kind == .directory || wildcard == nil {
        collect(below: path, rest, depth: depth + 1)
      }
    }
  }

  private static func names(in directory: String) -> [String] {
    guard let stream = opendir(directory.isEmpty ? "." : directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// `nil` if there is nothing.
  private static func kind(_ path: String) -> Kind? {
    var status = stat()
    guard stat(path, &status) == 0 else {
      // A link to nothing, or to itself.
      return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK ? .file : nil
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { return .file }
    guard lstat(path, &status) == 0 else { return nil }
    return status.st_mode & S_IFMT == S_IFLNK ? .linkToDirectory : .directory
  }
}
