/// `postmaster.pid`, which a server keeps in its data directory while it runs.
///
/// The server writes it line by line, so any prefix of it may be found; a crashed server leaves it
/// behind. Source: PostgreSQL's `src/include/utils/pidfile.h`.
public struct PostmasterFile: Sendable, Hashable {
  /// What the server says about itself in line 8.
  public enum State: String, Sendable {
    /// It is starting up or recovering.
    case starting
    /// It accepts connections.
    case ready
    /// It accepts connections, read only.
    case standby
    /// It is shutting down.
    case stopping
  }

  /// Line 1: the server's process.
  public let processID: Int32
  /// Line 2: the data directory as the server knows it.
  public let dataDirectory: String?
  /// Line 3: when the server started, in seconds since 1970.
  public let startTime: Int64?
  /// Line 4: the port, which also names the sockets.
  public let port: Int?
  /// Line 5: the first socket directory; `nil` if there is none.
  public let socketDirectory: String?
  /// Line 6: the first address that the server listens on; `nil` if there is none.
  public let listenAddress: String?
  /// Line 7: the key and the number of its System V shared memory.
  public let sharedMemory: SharedMemory?
  /// Line 8: what it is doing; `nil` before it has said so, and from servers before 10.
  public let state: State?

  /// A segment of System V shared memory.
  public struct SharedMemory: Sendable, Hashable {
    /// The key that it was made with.
    public let key: UInt
    /// Its number.
    public let identifier: Int32
  }

  /// Parses the file's text; `nil` unless its first line is the number of a possible process.
  ///
  /// A process that runs only one backend without a postmaster writes its number negated.
  public init?(parsing text: String) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      Self.trimmed($0)
    }
    // Without a line end the number may be only half written.
    guard lines.count > 1, let number = Int32(lines[0]), number != 0, number != .min else {
      return nil
    }
    processID = abs(number)
    func line(_ number: Int) -> Substring? {
      guard lines.count >= number, !lines[number - 1].isEmpty else { return nil }
      return lines[number - 1]
    }
    dataDirectory = line(2).map(String.init)
    startTime = line(3).flatMap { Int64($0) }
    port = line(4).flatMap { Int($0) }.flatMap { (1...65_535).contains($0) ? $0 : nil }
    socketDirectory = line(5).map(String.init)
    listenAddress = line(6).map(String.init)
    sharedMemory = line(7).flatMap { SharedMemory(parsing: $0) }
    state = line(8).flatMap { State(rawValue: String($0)) }
  }

  private static func trimmed(_ line: Substring) -> Substring {
    var line = line
    while let last = line.last, last == " " || last == "\t" || last == "\r" { line.removeLast() }
    while let first = line.first, first == " " || first == "\t" { line.removeFirst() }
    return line
  }
}

extension PostmasterFile.SharedMemory {
  /// Parses `key number`, both decimal.
  init?(parsing text: Substring) {
    let parts = text.split(separator: " ")
    guard parts.count == 2, let key = UInt(parts[0]), let identifier = Int32(parts[1]) else {
      return nil
    }
    self.key = key
    self.identifier = identifier
  }
}
