internal import Glibc

/// Where a command is, by the rules of a shell.
public enum CommandPath {
  /// Finds a command: by its path if it has a slash, else in PATH.
  ///
  /// - Parameter program: The name of the program that looks for it, for the message.
  /// - Throws: ``Failure`` with status 127 if there is none, 126 if it cannot be executed.
  public static func find(_ name: String, for program: String) throws(Failure) -> String {
    var met: String?
    // Nothing is the directories' own name.
    for candidate in name.isEmpty ? [] : candidates(name) {
      var facts = stat()
      guard stat(candidate, &facts) == 0 else { continue }
      if facts.st_mode & S_IFMT == S_IFREG, access(candidate, X_OK) == 0 { return candidate }
      met = met ?? candidate
    }
    let shown = name.isEmpty ? "''" : name
    let message = met.map { "\($0): it cannot be executed" } ?? "\(shown): no such command"
    throw Failure(
      met == nil ? .notFound : .notExecutable,
      Diagnostic(program: program, message: message))
  }

  private static func candidates(_ name: String) -> [String] {
    if name.contains("/") { return [name] }
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    return path.split(separator: ":", omittingEmptySubsequences: false).map {
      $0.isEmpty ? "./\(name)" : "\($0)/\(name)"
    }
  }
}
