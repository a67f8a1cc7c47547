internal import CSpawn
internal import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A process beside this one that ends a server and removes its directories when this process is
/// gone, however that came about.
///
/// It notices by the end of a socket that only this process holds.
final class Supervisor: Sendable {
  /// The socket by which it is spoken to; −1 once it has been closed, because the number may then be
  /// somebody else's.
  private let socket: Mutex<Int32>

  /// Starts one that will remove `directories`, and then the record, which it holds until then.
  ///
  /// - Parameter stream: A pipe or socket of this process, whose end can be its sign to act.
  init(
    removing directories: [DirectoryIdentity], _ record: ThrowawayRecord? = nil,
    stream: Int32? = nil
  ) throws(PGError) {
    var ends: [Int32] = [-1, -1]
    guard socketpair(AF_UNIX, Self.kind, 0, &ends) == 0 else {
      throw .cluster("could not make a supervisor", Syscalls.lastError(of: "socketpair"))
    }
    let theirs = OpenFile(owning: ends[1])
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let recordPath = record.flatMap { strdup($0.path) }
    defer { free(recordPath) }
    let lock = record?.descriptor ?? -1
    let number = Self.withDirectories(directories) {
      pgkit_supervise(theirs.descriptor, $0.baseAddress, $0.count, lock, recordPath, stream ?? -1)
    }
    guard number == 0 else {
      close(ends[0])
      throw .cluster("could not make a supervisor", SystemError(call: "fork", number: number))
    }
    socket = Mutex(ends[0])
  }

  /// The socket through which a child announces itself; −1 if nobody listens any more.
  var descriptor: Int32 { socket.withLock { $0 } }

  deinit { end() }

  /// Closed on exec from birth where that is possible: a program started by another thread in
  /// between would otherwise hold the socket open, and with it the cluster alive.
  private static var kind: Int32 {
    #if canImport(Glibc)
      Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
    #else
      SOCK_STREAM
    #endif
  }

  private static func withDirectories(
    _ directories: [DirectoryIdentity],
    _ body: (UnsafeBufferPointer<pgkit_directory>) -> Int32
  ) -> Int32 {
    let paths = directories.map { strdup($0.path) }
    defer { for path in paths { free(path) } }
    return zip(directories, paths).map {
      pgkit_directory(path: $1, device: $0.device, inode: $0.inode)
    }.withUnsafeBufferPointer(body)
  }

  /// How long it may take to end when it is told to.
  private static let patience = Duration.seconds(5)

  /// Ends it because there is nothing left to do, and waits until it is gone.
  func disarm() {
    if tell(PGKIT_MESSAGE_DISARM, 0) == 0 {
      _ = OpenFile.isReadable(descriptor, timeout: Deadline.after(Self.patience).pollTimeout)
    }
    end()
  }

  /// Has a command's process group ended together with the cluster if this process does not live to
  /// do so.
  ///
  /// A later command's replaces it. Numbers below 2 are refused.
  func guardCommand(_ pid: Int32) { tell(PGKIT_MESSAGE_COMMAND, pid) }

  /// Leaves everything to it: it acts when the process `owner` is gone, after `lifetime` seconds, or when
  /// nobody was connected for `idle` seconds, or with its stream, whatever becomes of this process.
  ///
  /// - Parameter port: Where clients may be connected besides the sockets in its first directory.
  func handOver(
    owner: Int32?, lifetime: Int32?, idle: Int32? = nil, port: Int32? = nil,
    followsStream: Bool = false
  ) throws(PGError) {
    if followsStream { try check(tell(PGKIT_MESSAGE_STREAM, 1)) }
    if let owner { try check(tell(PGKIT_MESSAGE_OWNER, owner)) }
    if let lifetime { try check(tell(PGKIT_MESSAGE_LIFETIME, lifetime)) }
    if let port { try check(tell(PGKIT_MESSAGE_PORT, port)) }
    if let idle { try check(tell(PGKIT_MESSAGE_IDLE, idle)) }
    end()
  }

  private func check(_ number: Int32) throws(PGError) {
    if number == 0 { return }
    throw .cluster(
      "could not reach the supervisor", SystemError(call: "send", number: number))
  }

  @discardableResult
  private func tell(_ kind: pgkit_message_kind, _ value: Int32) -> Int32 {
    socket.withLock { socket in
      socket < 0 ? EBADF : pgkit_tell_supervisor(socket, Int32(kind.rawValue), value)
    }
  }

  private func end() {
    socket.withLock { socket in
      if socket >= 0 { close(socket) }
      socket = -1
    }
  }
}
