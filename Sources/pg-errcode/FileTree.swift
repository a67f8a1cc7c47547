internal import Glibc
internal import PGCommandLine

/// The files that an operand means: itself, what is below a directory, or what fits a pattern.
enum FileTree {
  /// Deeper than source trees are; links may make circles.
  private static let maximumDepth = 64

  /// The files, in the order of their names.
  ///
  /// - Throws: `Failure` with status 1 if no file fits.
  static func files(_ operand: String) throws(Failure) -> [String] {
    if operand == "-" || isDirectory(operand) == false { return [operand] }
    var found: [String] = []
    if isDirectory(operand) == true {
      collect(below: operand, depth: 0) { if $0.hasSuffix(".sql") { found.append($0) } }
    } else {
      found = matches(operand)
    }
    guard !found.isEmpty else {
      throw Failure(
        .localFailure,
        Diagnostic(
          program: ErrorCodeCommand.program, message: "\(operand): no such file, nor one that fits")
      )
    }
    return found.sorted()
  }

  /// The files below the part of the pattern without wildcards that fit the whole of it.
  private static func matches(_ pattern: String) -> [String] {
    let parts = pattern.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard let first = parts.firstIndex(where: { Wildcard($0) != nil }) else { return [] }
    let root = parts[..<first].joined(separator: "/")
    let start = first == 0 ? "." : root.isEmpty ? "/" : root
    let wanted = Array(parts[first...])
    var found: [String] = []
    collect(below: start, depth: 0) { path in
      let prefix = start.hasSuffix("/") ? start : start + "/"
      let rest = path.dropFirst(prefix.count).split(separator: "/").map(String.init)
      if fits(rest[...], wanted[...]) {
        found.append(first == 0 ? rest.joined(separator: "/") : path)
      }
    }
    return found
  }

  /// `**` is any number of directories, also none.
  private static func fits(_ path: ArraySlice<String>, _ pattern: ArraySlice<String>) -> Bool {
    guard let part = pattern.first else { return path.isEmpty }
    if part == "**" {
      return path.indices.contains { fits(path[$0...], pattern.dropFirst()) }
    }
    guard let name = path.first else { return false }
    let isFit = Wildcard(part)?.matches(name) ?? (part == name)
    return isFit && fits(path.dropFirst(), pattern.dropFirst())
  }

  private static func collect(below directory: String, depth: Int, _ visit: (String) -> Void) {
    guard depth < maximumDepth, let stream = opendir(directory) else { return }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasPrefix(".") { continue }
      let path = directory.hasSuffix("/") ? directory + name : directory + "/" + name
      switch isDirectory(path) {
      case .some(true): collect(below: path, depth: depth + 1, visit)
      case .some(false): visit(path)
      case nil: break
      }
    }
  }

  /// `nil` if there is nothing.
  private static func isDirectory(_ path: String) -> Bool? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return status.st_mode & S_IFMT == S_IFDIR
  }
}
