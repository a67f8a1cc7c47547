#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Syscalls {
  /// Runs `body` on a thread of its own that nobody waits for.
  static func startThread(_ body: @escaping @Sendable () -> Void) -> SystemError? {
    let argument = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    #if canImport(Darwin)
      var thread: pthread_t?
      let status = pthread_create(&thread, nil, { runThreadBody($0) }, argument)
      if status == 0, let thread { pthread_detach(thread) }
    #else
      var thread = pthread_t()
      let status = pthread_create(&thread, nil, { runThreadBody($0) }, argument)
      if status == 0 { pthread_detach(thread) }
    #endif
    guard status != 0 else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(argument).release()
    return SystemError(call: "pthread_create", number: status)
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private func runThreadBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
  return nil
}
