internal import CSpawn

/// Environments: the process's own, and the one that a server starts with.
enum ProcessEnvironment {
  /// The process's environment; of a repeated name the first counts, as for `getenv`.
  static var current: [String: String] {
    guard var entry = pgkit_environment() else { return [:] }
    var result: [String: String] = [:]
    while let text = entry.pointee {
      let parts = String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2, result[String(parts[0])] == nil {
        result[String(parts[0])] = String(parts[1])
      }
      entry += 1
    }
    return result
  }

  /// What a program of the server starts with: nothing that would change its defaults, its
  /// language or what it tells a service manager.
  static func forServer(as user: ServerUser?) -> [String: String] {
    var result = current.filter { !isInterfering($0.key) }
    result["LC_ALL"] = "C"
    if let user {
      result["HOME"] = user.home
      result["USER"] = user.name
      result["LOGNAME"] = user.name
      result["XDG_RUNTIME_DIR"] = nil
    }
    return result
  }

  private static func isInterfering(_ name: String) -> Bool {
    if name.hasPrefix("PG") || name.hasPrefix("LC_") || name.hasPrefix("LISTEN_") { return true }
    return ["LANG", "LANGUAGE", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"].contains(name)
  }
}
