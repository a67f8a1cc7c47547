#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Which file stands at a path, and in which state: whoever replaces or changes it, changes this.
enum FileIdentity {
  /// Device, number, size and times as a text; `-` where there is nothing.
  static func text(of path: String) -> String {
    var facts = stat()
    guard stat(path, &facts) == 0 else { return "-" }
    #if canImport(Darwin)
      let (modified, changed) = (facts.st_mtimespec, facts.st_ctimespec)
    #else
      let (modified, changed) = (facts.st_mtim, facts.st_ctim)
    #endif
    return "\(facts.st_dev):\(facts.st_ino):\(facts.st_size):\(modified.tv_sec).\(modified.tv_nsec)"
      + ":\(changed.tv_sec).\(changed.tv_nsec)"
  }
}
