#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension Syscalls {
  /// Settings of a TCP socket that this library turns.
  enum TCPSetting: String {
    case noDelay = "TCP_NODELAY"
    case keepAliveIdle = "TCP_KEEPIDLE"
    case keepAliveInterval = "TCP_KEEPINTVL"
    case keepAliveCount = "TCP_KEEPCNT"
    case userTimeout = "TCP_USER_TIMEOUT"
  }

  /// How a connection attempt began.
  enum ConnectOutcome {
    case connected
    /// Wait until the socket is writable, then ask ``pendingError(of:)``.
    case inProgress
    /// The queue of a Unix-domain listener is full: try again in a moment.
    case busy
    case refused(SystemError)
  }

  /// Opens a stream socket that does not block and is not inherited by child processes.
  static func openSocket(family: Int32) -> Result<Int32, SystemError> {
    #if os(Linux)
      let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    #else
      let kind = SOCK_STREAM
    #endif
    let descriptor = socket(family, kind, 0)
    guard descriptor >= 0 else { return .failure(lastError(of: "socket")) }
    #if !os(Linux)
      if let error = makeNonBlocking(descriptor) {
        closeDescriptor(descriptor)
        return .failure(error)
      }
    #endif
    return .success(descriptor)
  }

  /// Makes a descriptor non-blocking and keeps it from child processes.
  static func makeNonBlocking(_ descriptor: Int32) -> SystemError? {
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) >= 0,
      fcntl(descriptor, F_SETFD, FD_CLOEXEC) >= 0
    else { return lastError(of: "fcntl") }
    #if canImport(Darwin)
      var on: Int32 = 1
      _ = setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
    #endif
    return nil
  }

  /// Turns TCP keepalive on.
  static func setKeepAlive(_ descriptor: Int32) -> SystemError? {
    var on: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    guard setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, size) != 0 else { return nil }
    return lastError(of: "setsockopt(SO_KEEPALIVE)")
  }

  /// Lets as much of `count` bytes wait in a socket to be received as the system allows.
  ///
  /// Where there is as much already, nothing changes.
  static func widenSendBuffer(_ descriptor: Int32, to count: Int) {
    var (present, wanted) = (Int32(0), Int32(clamping: count))
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &present, &size) == 0, present < wanted
    else { return }
    _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &wanted, size)
  }

  /// Turns a setting of TCP; one that the platform does not have is passed over.
  static func set(_ setting: TCPSetting, _ value: Int, on descriptor: Int32) -> SystemError? {
    guard let name = number(of: setting) else { return nil }
    var value = Int32(clamping: value)
    let size = socklen_t(MemoryLayout<Int32>.size)
    guard setsockopt(descriptor, Int32(IPPROTO_TCP), name, &value, size) != 0 else { return nil }
    return lastError(of: "setsockopt(\(setting.rawValue))")
  }

  /// Reads a setting of TCP back.
  static func value(of setting: TCPSetting, on descriptor: Int32) -> Int? {
    guard let name = number(of: setting) else { return nil }
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, Int32(IPPROTO_TCP), name, &value, &size) == 0 else { return nil }
    return Int(value)
  }

  private static func number(of setting: TCPSetting) -> Int32? {
    switch setting {
    case .noDelay: return TCP_NODELAY
    case .keepAliveInterval: return TCP_KEEPINTVL
    case .keepAliveCount: return TCP_KEEPCNT
    #if os(Linux)
      case .keepAliveIdle: return TCP_KEEPIDLE
      case .userTimeout: return TCP_USER_TIMEOUT
    #else
      case .keepAliveIdle: return TCP_KEEPALIVE
      case .userTimeout: return nil
    #endif
    }
  }

  /// Begins to connect.
  static func beginConnecting(_ descriptor: Int32, to address: SocketAddress) -> ConnectOutcome {
    let status = address.withPointer { connect(descriptor, $0, $1) }
    if status == 0 { return .connected }
    let error = lastError(of: "connect")
    switch error.number {
    case EINPROGRESS, EINTR: return .inProgress
    case EAGAIN: return .busy
    default: return .refused(error)
    }
  }

  /// The error that a connection attempt in progress ended with, if it failed.
  static func pendingError(of descriptor: Int32) -> SystemError? {
    var number: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size) == 0 else {
      return lastError(of: "getsockopt(SO_ERROR)")
    }
    return number == 0 ? nil : SystemError(call: "connect", number: number)
  }

  /// Whether `error` says that nobody listens there.
  static func meansNobodyListens(_ error: SystemError) -> Bool {
    error.number == ECONNREFUSED || error.number == ENOENT
  }

  /// Whether `error` says that the other end is gone, rather than that the call was wrong.
  static func meansGone(_ error: SystemError) -> Bool {
    error.number == EPIPE || error.number == ECONNRESET || error.number == ECONNABORTED
  }

  /// Receives what is there.
  static func receive(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Outcome {
    while true {
      let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
      if count >= 0 { return .moved(count) }
      if errno == EINTR { continue }
      if errno == EAGAIN || errno == EWOULDBLOCK { return .wouldBlock }
      return .refused(lastError(of: "recv"))
    }
  }

  /// Sends as much as is accepted, without SIGPIPE when the other end is gone.
  static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Outcome {
    #if canImport(Darwin)
      let flags: Int32 = 0
    #else
      let flags = Int32(MSG_NOSIGNAL)
    #endif
    while true {
      let count = sendBytes(descriptor, bytes.baseAddress, bytes.count, flags)
      if count >= 0 { return .moved(count) }
      if errno == EINTR { continue }
      if errno == EAGAIN || errno == EWOULDBLOCK { return .wouldBlock }
      return .refused(lastError(of: "send"))
    }
  }

  /// Closes once: after EINTR the descriptor is closed too, so nothing is repeated.
  static func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }

  /// Ends a connection in both directions; whoever waits for it is woken.
  static func shutDown(_ descriptor: Int32) { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

  /// Opens a pipe that child processes do not inherit: the end to read and the end to write.
  static func openPipe() -> Result<(reading: Int32, writing: Int32), SystemError> {
    var ends: (Int32, Int32) = (-1, -1)
    let status = withUnsafeMutablePointer(to: &ends) {
      $0.withMemoryRebound(to: Int32.self, capacity: 2) { makePipe($0) }
    }
    guard status == 0 else { return .failure(lastError(of: "pipe")) }
    return .success((ends.0, ends.1))
  }

  /// Closed on exec from birth where that is possible: a program started by another thread in between
  /// would otherwise hold an end open. (`pipe2` cannot be called from Swift; a pair of sockets of which
  /// one end only sends is as good.)
  private static func makePipe(_ ends: UnsafeMutablePointer<Int32>) -> Int32 {
    #if canImport(Glibc)
      let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
      return socketpair(AF_UNIX, kind, 0, ends)
    #else
      let status = pipe(ends)
      for index in 0..<2 where status == 0 { _ = fcntl(ends[index], F_SETFD, FD_CLOEXEC) }
      return status
    #endif
  }
}

/// `send` under a name that the method above does not hide.
private func sendBytes(
  _ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32
) -> Int {
  send(descriptor, bytes, count, flags)
}
