internal import Glibc

/// The few system calls on open descriptors that the streams of a program need.
enum Descriptor {
  /// Writes all bytes, waiting for a descriptor that does not block; returns 0 or the `errno`.
  ///
  /// - Parameter accepted: Hears each time how many bytes the system has taken.
  static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: CInt, accepted: (Int) -> Void = { _ in }
  ) -> CInt {
    var rest = bytes
    while !rest.isEmpty {
      let written = Glibc.write(descriptor, rest.baseAddress, rest.count)
      if written >= 0 {
        accepted(written)
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
      } else if let fault = fault(ofWriteTo: descriptor) {
        return fault
      }
    }
    return 0
  }

  /// As ``write(_:to:)``, but a reader that has gone is a fault like others, and ends nothing.
  ///
  /// The signal, which is the writing thread's own, is kept from it and then taken away.
  static func writeQuietly(_ bytes: UnsafeRawBufferPointer, to descriptor: CInt) -> CInt {
    var pipeSignal = sigset_t()
    sigemptyset(&pipeSignal)
    sigaddset(&pipeSignal, SIGPIPE)
    var before = sigset_t()
    pthread_sigmask(SIG_BLOCK, &pipeSignal, &before)
    let fault = write(bytes, to: descriptor)
    if fault == EPIPE {
      var atOnce = timespec()
      _ = sigtimedwait(&pipeSignal, nil, &atOnce)
    }
    pthread_sigmask(SIG_SETMASK, &before, nil)
    return fault
  }

  /// Reads what there is into `buffer`; 0 bytes are the end, and a negative number is `-errno`.
  static func read(into buffer: UnsafeMutableRawBufferPointer, from descriptor: CInt) -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      switch errno {
      case EINTR: continue
      case EAGAIN: wait(for: POLLIN, on: descriptor)
      case let fault: return -Int(fault)
      }
    }
  }

  /// Waits until `descriptor` can be read; says whether it can be, rather than time having passed.
  static func waitToRead(_ descriptor: CInt, milliseconds: CInt) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: POLLIN), revents: 0)
    return poll(&request, 1, milliseconds) != 0
  }

  /// Makes sure that 0, 1 and 2 are open, so that no file opened later takes their place.
  ///
  /// In the place of what was closed stands a directory: it can be neither read nor written, nor opened
  /// for that under a name such as `/dev/stdout`.
  static func occupyStandardStreams() {
    for descriptor in CInt(0)...2 where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      _ = open("/", O_DIRECTORY | (descriptor == 0 ? nameOnly : O_RDONLY))
    }
  }

  /// `O_PATH`, a macro that Swift does not see: reading such a descriptor is EBADF, as where it is closed.
  private static let nameOnly: CInt = 0o10_000_000

  /// Lets a pipe hold at least so much, if it is one and the system allows it.
  static func widen(_ descriptor: CInt, to capacity: CInt) {
    let present = fcntl(descriptor, pipeSize)
    if present > 0, present < capacity { _ = fcntl(descriptor, setPipeSize, capacity) }
  }

  /// `F_SETPIPE_SZ` and `F_GETPIPE_SZ`, macros of Linux that Swift does not see.
  private static let (setPipeSize, pipeSize): (CInt, CInt) = (1031, 1032)

  /// Whether nobody will ever read what is written to `descriptor`.
  static func isHungUp(_ descriptor: CInt) -> Bool {
    var request = pollfd(fd: descriptor, events: 0, revents: 0)
    guard poll(&request, 1, 0) > 0 else { return false }
    return Int32(request.revents) & (POLLERR | POLLHUP | POLLNVAL) != 0
  }

  /// Whether something can be written to `descriptor` now.
  static func hasRoom(_ descriptor: CInt) -> Bool {
    var request = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: POLLOUT), revents: 0)
    return poll(&request, 1, 0) > 0
  }

  /// Waits until nobody will ever read what is written to `descriptor`.
  static func waitForHangUp(_ descriptor: CInt) {
    var request = pollfd(fd: descriptor, events: 0, revents: 0)
    while poll(&request, 1, -1) < 1 {}
  }

  /// The system's words for an `errno`.
  static func reason(_ fault: CInt) -> String { String(cString: strerror(fault)) }

  private static func fault(ofWriteTo descriptor: CInt) -> CInt? {
    switch errno {
    case EINTR: return nil
    case EAGAIN:
      wait(for: POLLOUT, on: descriptor)
      return nil
    case let fault: return fault
    }
  }

  private static func wait(for events: CInt, on descriptor: CInt) {
    var request = pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0)
    _ = poll(&request, 1, -1)
  }
}
