import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// The system's resolver cannot be told to stop. So a name with a deadline is looked up on a thread
// of its own, which is left behind when time is up.

/// Turns an endpoint into the addresses to try.
enum AddressLookup {
  /// The addresses of `endpoint`, in the order in which the system prefers them.
  ///
  /// - Throws: ``PGError`` 08001 when the name has no address, `--TOE` when time runs out, `-*000`
  ///   for a path, port or numeric address that cannot be.
  static func addresses(
    of endpoint: Endpoint, until deadline: Deadline
  ) throws(PGError) -> [SocketAddress] {
    switch endpoint {
    case .unix(let path): return [try SocketAddress(unixPath: path)]
    case .tcp(let host, let address, let port):
      try check(host: host, port: port)
      if let address, !address.isEmpty {
        return try addresses(ofNumeric: address, port: port)
      }
      // What is a number already needs neither a resolver nor a thread.
      if case .success(let numeric) = ask(host, port, flags: AI_NUMERICHOST) { return numeric }
      return try addresses(ofName: host, port: port, deadline)
    }
  }

  /// Checks what needs no lookup.
  ///
  /// - Throws: ``PGError`` `-*000` for a path or numeric address that cannot be.
  static func check(_ endpoint: Endpoint) throws(PGError) {
    switch endpoint {
    case .unix(let path): _ = try SocketAddress(unixPath: path)
    case .tcp(_, let address?, let port) where !address.isEmpty:
      _ = try addresses(ofNumeric: address, port: port)
    case .tcp: break
    }
  }

  private static func check(host: String, port: Int) throws(PGError) {
    guard (1...65_535).contains(port) else {
      throw .option("invalid port number \(port): it must be between 1 and 65535")
    }
    if host.utf8.contains(0) { throw .option("the host name contains a NUL byte") }
  }

  private static func addresses(
    ofNumeric address: String, port: Int
  ) throws(PGError) -> [SocketAddress] {
    switch ask(address, port, flags: AI_NUMERICHOST) {
    case .success(let addresses): return addresses
    case .failure(let failure):
      throw .option(
        "could not parse network address \"\(address)\": \(failure.text)",
        hint: "hostaddr takes a numeric address; give names as host.")
    }
  }

  private static func addresses(
    ofName host: String, port: Int, _ deadline: Deadline
  ) throws(PGError) -> [SocketAddress] {
    let answer =
      deadline.instant == nil
      ? ask(host, port, flags: 0) : try askAside(host, port, deadline)
    switch answer {
    case .success(let addresses): return addresses
    case .failure(let failure):
      throw .cannotConnect(
        "could not translate host name \"\(host)\" to address: \(failure.text)",
        hint: "Check the spelling of the host name and that name resolution works.",
        cause: failure.error)
    }
  }

  /// Asks on a thread of its own and waits for the answer as long as the deadline allows.
  private static func askAside(
    _ host: String, _ port: Int, _ deadline: Deadline
  ) throws(PGError) -> Answer {
    let ends: (reading: Int32, writing: Int32)
    switch Syscalls.openPipe() {
    case .success(let pipe): ends = pipe
    case .failure(let error):
      throw .cannotConnect("could not open a pipe: \(error.text)", cause: error)
    }
    defer { Syscalls.closeDescriptor(ends.reading) }
    let question = Question()
    // Closing its end of the pipe is the thread's way to say that it has the answer.
    let refusal = Syscalls.startThread {
      question.answer.withLock { $0 = ask(host, port, flags: 0) }
      Syscalls.closeDescriptor(ends.writing)
    }
    if let refusal {
      Syscalls.closeDescriptor(ends.writing)
      throw .cannotConnect("could not start a thread: \(refusal.text)", cause: refusal)
    }
    let ready = try Syscalls.wait(for: ends.reading, reading: true, until: deadline)
    if ready.contains(.reading), let answer = question.take() { return answer }
    throw .connectingTimedOut("looking up \"\(host)\"")
  }

  private final class Question: Sendable {
    let answer = Mutex<Answer?>(nil)
    func take() -> Answer? { answer.withLock { $0 } }
  }

  typealias Answer = Result<[SocketAddress], Failure>

  /// Why the resolver has no answer.
  struct Failure: Error {
    let status: Int32
    let error: SystemError?
    var text: String { error?.text ?? String(cString: gai_strerror(status)) }
  }

  private static func ask(_ host: String, _ port: Int, flags: Int32) -> Answer {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    #if canImport(Glibc)
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    #else
      hints.ai_socktype = SOCK_STREAM
    #endif
    hints.ai_flags = flags | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, String(port), &hints, &list)
    guard status == 0 else {
      let error = status == EAI_SYSTEM ? Syscalls.lastError(of: "getaddrinfo") : nil
      return .failure(Failure(status: status, error: error))
    }
    defer { freeaddrinfo(list) }
    return .success(addresses(in: list))
  }

  private static func addresses(in list: UnsafeMutablePointer<addrinfo>?) -> [SocketAddress] {
    var addresses: [SocketAddress] = []
    var next = list
    while let entry = next?.pointee {
      if let address = entry.ai_addr,
        let copy = SocketAddress(copying: address, length: Int(entry.ai_addrlen)),
        !addresses.contains(copy)
      {
        addresses.append(copy)
      }
      next = entry.ai_next
    }
    return addresses
  }
}
