#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Notices that something in a directory changes, as soon as it does, where the system tells.
struct DirectoryWatch: ~Copyable {
  /// Becomes readable with a change; −1 if nobody tells.
  let descriptor: Int32

  /// What is read at a time; more changes than fit are read with the next ones.
  private static let chunk = 4096

  /// Begins to watch, if that is possible.
  init(_ path: String) {
    #if canImport(Glibc) || canImport(Musl)
      var opened = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
      let events = UInt32(IN_CREATE) | UInt32(IN_MODIFY) | UInt32(IN_MOVED_TO)
      if opened >= 0, inotify_add_watch(opened, path, events) < 0 {
        close(opened)
        opened = -1
      }
      descriptor = opened
    #else
      descriptor = -1
    #endif
  }

  /// Watches nothing.
  init(none: Void) { descriptor = -1 }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Forgets the changes so far.
  func clear() {
    guard descriptor >= 0 else { return }
    var changes = [UInt8](repeating: 0, count: Self.chunk)
    _ = read(descriptor, &changes, changes.count)
  }
}
