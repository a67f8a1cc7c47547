import Foundation
import Synchronization
import Testing

@testable import PGKit

/// A server that does what a script says, on a loopback port or a Unix socket, and remembers every
/// byte that it was sent.
final class ScriptedServer: Sendable {
  /// One thing that it does, waiting for at most a minute.
  indirect enum Act: Sendable {
    /// Receives a packet without a tag.
    case packet
    /// Receives messages up to one with this tag.
    case until(Character)
    /// Sends bytes.
    case send([UInt8])
    /// Sends messages, in the trace format.
    case say([String])
    /// Receives a packet; follows the first script if it asks for TLS, the second if not.
    case whether(tls: [Act], plain: [Act])
    /// Receives whatever comes, until the client closes.
    case drain
    /// Waits, or until the client closes.
    case pause(milliseconds: Int)
  }

  /// The port; 0 for a Unix socket.
  let port: Int
  private let listener: Int32
  private let path: String?
  private let log = Mutex<[[UInt8]]>([])
  private let threads = Mutex(0)

  /// Listens; the n-th connection follows the n-th script, all later ones the last.
  init(unix path: String? = nil, _ scripts: [Act]...) throws {
    self.path = path
    (listener, port) = try path.map { (try Self.listen(unix: $0), 0) } ?? Self.listenOnLoopback()
    Thread.detachNewThread { [self, listener] in
      // Only this thread closes the listener: were it closed elsewhere, the next accept here could
      // take the connections of whoever got the same descriptor after it.
      defer { close(listener) }
      for number in 0... {
        let descriptor = accept(listener, nil, nil)
        if descriptor < 0 { return }
        // A program that another test starts meanwhile must not keep the connection open.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        threads.withLock { $0 += 1 }
        log.withLock { $0.append([]) }
        let script = scripts[min(number, scripts.count - 1)]
        Thread.detachNewThread { self.serve(descriptor, number, script) }
      }
    }
  }

  /// No more connections.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    if let path { unlink(path) }
  }

  /// The options that lead to this server.
  func options(_ mode: SSLMode = .disable) -> ConnectionOptions {
    var options = ConnectionOptions()
    options.user = "jwp"
    options.database = "app"
    options.sslMode = mode
    options.connectTimeout = 60
    if let path {
      options.unix = path
    } else {
      options.hosts = ["127.0.0.1"]
      options.ports = [port]
    }
    return options
  }

  /// What each connection has sent, once all of them are over.
  func received() throws -> [[UInt8]] {
    for _ in 0..<6_000 {
      if threads.withLock({ $0 == 0 }) { return log.withLock { $0 } }
      usleep(10_000)
    }
    Issue.record("a connection is still open after a minute")
    return log.withLock { $0 }
  }

  // MARK: A connection

  private func serve(_ descriptor: Int32, _ number: Int, _ script: [Act]) {
    defer {
      close(descriptor)
      threads.withLock { $0 -= 1 }
    }
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    _ = follow(script[...], descriptor, number)
  }

  /// Whether the client was still there at the end.
  private func follow(_ script: ArraySlice<Act>, _ descriptor: Int32, _ number: Int) -> Bool {
    for act in script {
      switch act {
      case .packet: if receivePacket(descriptor, number) == nil { return false }
      case .until(let tag):
        while true {
          guard let received = receiveMessage(descriptor, number) else { return false }
          if received == tag.asciiValue { break }
        }
      case .send(let bytes): transmit(bytes, descriptor)
      case .say(let texts):
        for text in texts {
          do { transmit(try BackendEncoder.encode(text), descriptor) } catch {
            Issue.record("\(error)")
          }
        }
      case .whether(let tls, let plain):
        guard let code = receivePacket(descriptor, number) else { return false }
        let rest = code == RequestCode.ssl ? tls : plain
        if !follow(rest[...], descriptor, number) { return false }
      case .drain:
        while receive(1 << 16, descriptor, number, exactly: false) != nil {}
        return false
      case .pause(let milliseconds): usleep(UInt32(milliseconds) * 1_000)
      }
    }
    return true
  }

  /// The code of a packet without a tag.
  private func receivePacket(_ descriptor: Int32, _ number: Int) -> UInt32? {
    guard let header = receive(8, descriptor, number) else { return nil }
    let length = Self.integer(header[..<4])
    guard receive(Int(length) - 8, descriptor, number) != nil else { return nil }
    return Self.integer(header[4...])
  }

  /// The tag of a message.
  private func receiveMessage(_ descriptor: Int32, _ number: Int) -> UInt8? {
    guard let header = receive(5, descriptor, number) else { return nil }
    let length = Int(Self.integer(header[1...]))
    return receive(length - 4, descriptor, number).map { _ in header[0] }
  }

  private static func integer(_ bytes: some Sequence<UInt8>) -> UInt32 {
    bytes.reduce(0) { $0 << 8 | UInt32($1) }
  }

  private func receive(
    _ count: Int, _ descriptor: Int32, _ number: Int, exactly: Bool = true
  ) -> [UInt8]? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: max(count, 1))
    while bytes.count < count {
      let moved = recv(descriptor, &buffer, count - bytes.count, 0)
      if moved <= 0 { return nil }
      bytes += buffer[..<moved]
      log.withLock { $0[number] += buffer[..<moved] }
      if !exactly { break }
    }
    return bytes
  }

  private func transmit(_ bytes: [UInt8], _ descriptor: Int32) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let moved = rest.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if moved <= 0 { return }
      rest = rest.dropFirst(moved)
    }
  }

  // MARK: Listening

  private static func listenOnLoopback() throws -> (Int32, Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isListening = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && Foundation.listen(descriptor, 16) == 0
          && getsockname(descriptor, $0, &size) == 0
      }
    }
    try #require(isListening)
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
  }

  private static func listen(unix path: String) throws -> Int32 {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
    let isListening = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
          && Foundation.listen(descriptor, 16) == 0
      }
    }
    try #require(isListening)
    return descriptor
  }
}

extension ScriptedServer.Act {
  /// Lets the client in without asking, with these settings, and is ready.
  static func welcome(_ settings: [String: String] = [:]) -> ScriptedServer.Act {
    .say(
      ["AuthenticationOk"]
        + settings.sorted { $0.key < $1.key }.map {
          "ParameterStatus \"\($0.key)\" \"\($0.value)\""
        }
        + ["BackendKeyData 77 'key!'", "ReadyForQuery I"])
  }

  /// Sends an error.
  static func refuse(_ code: String, _ message: String = "no") -> ScriptedServer.Act {
    .say(["ErrorResponse S \"FATAL\" V \"FATAL\" C \"\(code)\" M \"\(message)\" \\x00"])
  }
}
