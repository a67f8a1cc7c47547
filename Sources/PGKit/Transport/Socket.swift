import PGErrorCodes

/// A connected stream socket that never blocks.
///
/// When sending shows that the other end is gone, the last words of the server may still be waiting
/// to be read (a FATAL message, a TLS alert). So ``write(_:)`` then asks the caller to read first,
/// and ``read(into:)`` tells of the loss when there is nothing more.
final class Socket: ByteStream {
  /// The descriptor to wait on; −1 once closed.
  private(set) var descriptor: Int32
  /// The other end in words, for messages: `server at "db" (10.0.0.7), port 5432`.
  let remoteName: String
  /// The address that it is connected to, if it was opened by address.
  let address: SocketAddress?
  /// What may end it from another thread.
  private let reins: SocketReins?
  /// Why nothing can be sent any more.
  private(set) var sendingFailure: SystemError?

  /// Takes over a connected descriptor, as of one end of a socket pair.
  init(descriptor: Int32, remoteName: String = "server") throws(PGError) {
    if let error = Syscalls.makeNonBlocking(descriptor) {
      throw .cannotConnect("the descriptor cannot be used: \(error.text)", cause: error)
    }
    self.descriptor = descriptor
    self.remoteName = remoteName
    address = nil
    reins = nil
  }

  /// Connects to one address of `endpoint`.
  ///
  /// - Throws: ``PGError`` 08001 when refused, `--TOE` when time runs out.
  init(
    connectingTo address: SocketAddress, of endpoint: Endpoint, options: ConnectionOptions,
    heldBy reins: SocketReins? = nil, until deadline: Deadline
  ) throws(PGError) {
    remoteName = Self.describe(endpoint, address)
    self.address = address
    self.reins = reins
    switch Syscalls.openSocket(family: address.family) {
    case .success(let opened): descriptor = opened
    case .failure(let error):
      throw .attemptFailed(remoteName, "could not create socket: \(error.text)", cause: error)
    }
    // From here on deinit closes the descriptor when the rest throws.
    reins?.hold(descriptor)
    if !address.isUnix { try configure(options) }
    try connect(to: address, until: deadline)
  }

  deinit { close() }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(PGError) -> StreamProgress {
    guard descriptor >= 0 else { throw .connectionDoesNotExist("the connection is closed") }
    switch Syscalls.receive(descriptor, into: buffer) {
    case .moved(0) where !buffer.isEmpty:
      if let sendingFailure { throw lost(sendingFailure) }
      return .ended
    case .moved(let count): return .moved(count)
    case .wouldBlock: return .waitToRead
    case .refused(let error): throw lost(error)
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(PGError) -> StreamProgress {
    guard descriptor >= 0 else { throw .connectionDoesNotExist("the connection is closed") }
    if sendingFailure != nil { return .waitToRead }
    switch Syscalls.send(descriptor, bytes) {
    case .moved(let count): return .moved(count)
    case .wouldBlock: return .waitToWrite
    case .refused(let error):
      guard Syscalls.meansGone(error) else { throw lost(error) }
      sendingFailure = error
      return .waitToRead
    }
  }

  /// Lets more wait in the system for the other end of a Unix-domain socket, up to `count` bytes.
  ///
  /// Of a TCP socket the system finds the size itself, unless it is told one.
  func widenQueue(to count: Int) {
    if address?.isUnix == true { Syscalls.widenSendBuffer(descriptor, to: count) }
  }

  func close() {
    guard descriptor >= 0 else { return }
    reins?.letGo(of: descriptor)
    Syscalls.closeDescriptor(descriptor)
    descriptor = -1
  }

  private func lost(_ error: SystemError) -> PGError {
    .serverGone(remoteName, error.text, cause: error)
  }
}

// Connecting
extension Socket {
  private func configure(_ options: ConnectionOptions) throws(PGError) {
    try set(.noDelay, 1)
    if options.keepalives ?? true {
      if let error = Syscalls.setKeepAlive(descriptor) { throw refused(error) }
      try set(.keepAliveIdle, options.keepalivesIdle)
      try set(.keepAliveInterval, options.keepalivesInterval)
      try set(.keepAliveCount, options.keepalivesCount)
    }
    try set(.userTimeout, options.tcpUserTimeout)
  }

  /// Zero and below leave the system's default.
  private func set(_ setting: Syscalls.TCPSetting, _ value: Int?) throws(PGError) {
    guard let value, value > 0 else { return }
    if let error = Syscalls.set(setting, value, on: descriptor) { throw refused(error) }
  }

  private func connect(to address: SocketAddress, until deadline: Deadline) throws(PGError) {
    while true {
      let outcome = Syscalls.beginConnecting(descriptor, to: address)
      // What was not yet connecting could not be shut down.
      if reins?.isEnded == true { throw .attemptFailed(remoteName, "the attempt was given up") }
      switch outcome {
      case .connected: return
      case .refused(let error): throw refused(error)
      case .inProgress:
        try wait(writing: true, until: deadline)
        if let error = Syscalls.pendingError(of: descriptor) { throw refused(error) }
        return
      case .busy:
        // Nothing tells when a Unix-domain listener has room again.
        try wait(writing: false, until: deadline)
      }
    }
  }

  private static var busyPause: Duration { .milliseconds(10) }

  private func wait(writing: Bool, until deadline: Deadline) throws(PGError) {
    let until = writing ? deadline : deadline.earlier(.after(Self.busyPause))
    let ready = try Syscalls.wait(
      for: writing ? descriptor : -1, writing: writing, until: until)
    if ready.isEmpty && deadline.hasPassed {
      throw .connectingTimedOut("connecting to \(remoteName)")
    }
  }

  private func refused(_ error: SystemError) -> PGError {
    .attemptFailed(remoteName, error.text, hint: hint(for: error), cause: error)
  }

  private func hint(for error: SystemError) -> String? {
    guard Syscalls.meansNobodyListens(error) else { return nil }
    return address?.isUnix == true
      ? "Is the server running locally and accepting connections on that socket?"
      : "Is the server running there and accepting TCP/IP connections?"
  }

  /// The server in words, as libpq's messages have it.
  static func describe(_ endpoint: Endpoint, _ address: SocketAddress) -> String {
    switch endpoint {
    case .unix(let path): return "server on socket \"\(path)\""
    case .tcp(_, _, let port):
      let host = endpoint.host
      let numeric = address.host ?? host
      let place = numeric == host ? "\"\(host)\"" : "\"\(host)\" (\(numeric))"
      return "server at \(place), port \(port)"
    }
  }
}
