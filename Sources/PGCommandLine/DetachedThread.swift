internal import Glibc

/// A thread of a program: nobody waits for it, and it ends with the process.
public enum DetachedThread {
  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Starts one; without it the program could not do its work, so the process ends if there is none.
  public static func start(_ body: @escaping @Sendable () -> Void) {
    let context = Unmanaged.passRetained(Body(body)).toOpaque()
    var thread = pthread_t()
    let fault = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
        return nil
      }, context)
    guard fault == 0 else {
      StandardError.print("cannot start a thread: \(Descriptor.reason(fault))")
      _exit(ExitStatus.localFailure.rawValue)
    }
    pthread_detach(thread)
  }
}
