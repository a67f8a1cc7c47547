#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A descriptor that is waited for together with others.
public struct DescriptorWatch: Sendable, Hashable {
  /// What it is waited for.
  public enum Condition: Sendable, Hashable {
    /// It can be read, or reading would show an error.
    case readable
    /// It can be written, or writing would show an error.
    case writable
    /// Nobody reads any more what is written to it.
    case hangUp
  }

  /// The descriptor; a negative one is never ready.
  public let descriptor: Int32
  /// What it is waited for.
  public let condition: Condition

  /// Makes one.
  public init(_ descriptor: Int32, _ condition: Condition) {
    self.descriptor = descriptor
    self.condition = condition
  }

  fileprivate var request: pollfd {
    let events: Int16 =
      switch condition {
      case .readable: Int16(POLLIN)
      case .writable: Int16(POLLOUT)
      case .hangUp: 0
      }
    return pollfd(fd: descriptor, events: events, revents: 0)
  }
}

extension Syscalls {
  /// Waits until at least one of many descriptors is ready or the deadline has passed.
  ///
  /// - Returns: For each, whether it is ready; one that is not open is.
  static func wait(
    forAny watches: [DescriptorWatch], until deadline: Deadline
  ) throws(PGError) -> [Bool] {
    var polled = watches.map(\.request)
    while true {
      let count = poll(&polled, nfds_t(polled.count), deadline.pollTimeout)
      if count < 0 {
        let error = lastError(of: "poll")
        if error.number == EINTR { continue }
        throw .connectionFailure("could not wait for sockets: \(error.text)", cause: error)
      }
      if count > 0 || deadline.hasPassed { return polled.map { $0.revents != 0 } }
    }
  }
}
