import Foundation
import PGErrorCodes
import Testing

@testable import PGKit

@Suite("Socket", .timeLimit(.minutes(1)))
struct SocketTests {
  private let loopback = Endpoint.tcp(host: "localhost", address: "127.0.0.1", port: 1)

  /// A listener on a port of the system's choice.
  private func listen() throws -> (descriptor: Int32, endpoint: Endpoint) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && Foundation.listen(descriptor, 4) == 0
          && getsockname(descriptor, $0, &size) == 0
      }
    }
    try #require(status)
    let port = Int(UInt16(bigEndian: address.sin_port))
    return (descriptor, .tcp(host: "localhost", address: "127.0.0.1", port: port))
  }

  private func connect(
    _ endpoint: Endpoint, _ options: ConnectionOptions = ConnectionOptions(),
    until deadline: Deadline = .after(.seconds(10))
  ) throws -> Socket {
    let addresses = try AddressLookup.addresses(of: endpoint, until: deadline)
    return try Socket(
      connectingTo: try #require(addresses.first), of: endpoint, options: options,
      until: deadline)
  }

  private func pair() throws -> (Socket, Int32) {
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    return (try Socket(descriptor: ends[0]), ends[1])
  }

  @Test("connects over TCP without delay and with keepalive")
  func connects() throws {
    let (listener, endpoint) = try listen()
    defer { close(listener) }
    var options = ConnectionOptions()
    options.keepalivesIdle = 31
    options.keepalivesInterval = 7
    options.keepalivesCount = 4
    options.tcpUserTimeout = 9_000
    let socket = try connect(endpoint, options)
    let values = [
      Syscalls.TCPSetting.keepAliveIdle, .keepAliveInterval, .keepAliveCount, .userTimeout,
    ].map { Syscalls.value(of: $0, on: socket.descriptor) }
    #expect(values == [31, 7, 4, 9_000])
    #expect(Syscalls.value(of: .noDelay, on: socket.descriptor) != 0)
    #expect(flag(SO_KEEPALIVE, of: socket) != 0)
    #expect(fcntl(socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    #expect(fcntl(socket.descriptor, F_GETFL) & O_NONBLOCK != 0)
  }

  @Test("keepalives=0 leaves keepalive off")
  func noKeepAlive() throws {
    let (listener, endpoint) = try listen()
    defer { close(listener) }
    var options = ConnectionOptions()
    options.keepalives = false
    options.keepalivesIdle = 31
    #expect(flag(SO_KEEPALIVE, of: try connect(endpoint, options)) == 0)
  }

  private func flag(_ name: Int32, of socket: Socket) -> Int32 {
    var value: Int32 = -1
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(socket.descriptor, SOL_SOCKET, name, &value, &size)
    return value
  }

  @Test("a refused connection names host, address, port and what to look at")
  func refused() throws {
    let (listener, endpoint) = try listen()
    close(listener)
    guard case .tcp(_, _, let port) = endpoint else { return }
    let error = #expect(throws: PGError.self) { try connect(endpoint) }
    #expect(error?.code == .sqlclientUnableToEstablishSqlconnection)
    #expect(
      error?.message == "connection to server at \"localhost\" (127.0.0.1), port \(port) failed: "
        + "Connection refused")
    #expect(error?.hint == "Is the server running there and accepting TCP/IP connections?")
    #expect(error?.isSafeToRetry == true)
    #expect(error?.cause as? SystemError == SystemError(call: "connect", number: ECONNREFUSED))
  }

  @Test("a missing socket file is named")
  func missingSocket() {
    let path = NSTemporaryDirectory() + "none-\(UUID().uuidString)"
    let error = #expect(throws: PGError.self) { try connect(.unix(path: path)) }
    #expect(
      error?.message == "connection to server on socket \"\(path)\" failed: "
        + "No such file or directory")
    #expect(
      error?.hint == "Is the server running locally and accepting connections on that socket?")
  }

  @Test("a busy Unix-domain listener is tried again until it has room, or time is up")
  func busyListener() async throws {
    let path = "@busy-\(UUID().uuidString)"
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    let address = try SocketAddress(unixPath: path)
    try #require(address.withPointer { bind(listener, $0, $1) } == 0)
    try #require(Foundation.listen(listener, 0) == 0)
    let endpoint = Endpoint.unix(path: path)
    let first = try connect(endpoint)
    defer { first.close() }
    // However late it is noticed that time is up, that is what is said.
    for milliseconds in [0, 60] {
      let error = #expect(throws: PGError.self) {
        try connect(endpoint, until: .after(.milliseconds(milliseconds)))
      }
      #expect(error?.code == .connectTimeoutError)
    }
    let second = Task.detached { try connect(endpoint, until: .after(.seconds(50))).close() }
    let accepted = accept(listener, nil, nil)
    defer { close(accepted) }
    try await second.value
  }

  @Test("moves bytes, waits when there are none, and ends")
  func moves() throws {
    let (socket, other) = try pair()
    var buffer = [UInt8](repeating: 0, count: 8)
    func read() throws -> StreamProgress {
      try buffer.withUnsafeMutableBytes { try socket.read(into: $0) }
    }
    #expect(try read() == .waitToRead)
    #expect(write(other, [1, 2, 3] as [UInt8], 3) == 3)
    #expect(try read() == .moved(3))
    #expect(buffer.prefix(3) == [1, 2, 3])
    #expect(try ([9, 8] as [UInt8]).withUnsafeBytes { try socket.write($0) } == .moved(2))
    close(other)
  }

  @Test("the end of the stream is an end")
  func ends() throws {
    let (socket, other) = try pair()
    close(other)
    #expect(try socket.readAll() == [])
  }

  @Test("a full socket asks to wait")
  func full() throws {
    let (socket, other) = try pair()
    defer { close(other) }
    let bytes = [UInt8](repeating: 0, count: 100_000)
    var progress = StreamProgress.moved(0)
    for _ in 0..<100 where progress != .waitToWrite {
      progress = try bytes.withUnsafeBytes { try socket.write($0) }
    }
    #expect(progress == .waitToWrite)
  }

  @Test("after the other end has gone, its last words can be read, and no signal is raised")
  func lastWords() throws {
    let (socket, other) = try pair()
    #expect(write(other, [7, 7] as [UInt8], 2) == 2)
    close(other)
    #expect(try [1].withUnsafeBytes { try socket.write($0) } == .waitToRead)
    #expect(try socket.readAll(limit: 2) == [7, 7])
    let error = #expect(throws: PGError.self) { try socket.readAll() }
    #expect(error?.code == .connectionFailure)
    #expect(error?.message == "connection to server was lost: Broken pipe")
  }

  @Test("a reset connection is an error with its reason")
  func reset() throws {
    let (listener, endpoint) = try listen()
    defer { close(listener) }
    let socket = try connect(endpoint)
    let other = accept(listener, nil, nil)
    var reset = linger(l_onoff: 1, l_linger: 0)
    setsockopt(other, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
    close(other)
    let error = #expect(throws: PGError.self) { try socket.readAll() }
    #expect(error?.code == .connectionFailure)
    #expect(error?.message.hasSuffix("was lost: Connection reset by peer") == true)
  }

  @Test("a closed socket says so, and closing again does nothing")
  func closed() throws {
    let (socket, other) = try pair()
    defer { close(other) }
    socket.close()
    socket.close()
    #expect(socket.descriptor == -1)
    #expect(throws: PGError.connectionDoesNotExist("")) { try socket.readAll() }
    #expect(throws: PGError.connectionDoesNotExist("")) {
      try [1].withUnsafeBytes { try socket.write($0) }
    }
  }

  @Test("a descriptor that is not open is refused")
  func badDescriptor() {
    #expect(throws: PGError.self) { try Socket(descriptor: 100_000) }
  }

  @Test("the server is described as libpq does")
  func describes() throws {
    let address = try #require(
      try AddressLookup.addresses(of: loopback, until: .never).first)
    #expect(
      Socket.describe(loopback, address) == "server at \"localhost\" (127.0.0.1), port 1")
    let numeric = Endpoint.tcp(host: "127.0.0.1", address: nil, port: 1)
    #expect(Socket.describe(numeric, address) == "server at \"127.0.0.1\", port 1")
    let nameless = Endpoint.tcp(host: "", address: "127.0.0.1", port: 1)
    #expect(Socket.describe(nameless, address) == "server at \"127.0.0.1\", port 1")
  }
}
