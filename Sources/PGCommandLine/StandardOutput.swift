internal import Glibc
internal import Synchronization

/// A program's data output: its own buffer, checked writes and a checked close.
///
/// The C library's stdout is not used, because it decides by itself when to write, and hides at the
/// end that it could not. SIGPIPE keeps its default action, so `program | head -1` ends quietly.
public final class StandardOutput: Sendable {
  /// When the buffer is written.
  public enum Buffering: Sendable {
    /// After each piece that ends a line: for events.
    case lineBuffered
    /// When 64 KiB have come together: for rows and files.
    case blockBuffered
    /// Not before ``StandardOutput/release()``, as far as a megabyte goes: for what may have to be
    /// taken back.
    case held
  }

  /// A write or the close that the system did not accept.
  public struct Failure: Error, Hashable, CustomStringConvertible {
    /// The stream: `stdout`, or a file's name.
    public let stream: String
    /// The system's error number.
    public let errno: CInt

    /// Makes a failure, as for a file that could not be opened.
    public init(stream: String, errno: CInt) {
      self.stream = stream
      self.errno = errno
    }

    /// The stream and the reason, as in `stdout: No space left on device`.
    public var description: String { "\(stream): \(Descriptor.reason(errno))" }

    /// Whether nobody reads the other end of the pipe any more.
    public var isBrokenPipe: Bool { errno == EPIPE }
  }

  private struct State {
    var buffer: [UInt8] = []
    var buffering: Buffering
    var hasWritten = false
    /// Whether something was written since output is held back.
    var hasLetGo = false
    var isOpen = true
    /// Whether a pipe was asked to take more at once.
    var isWide = false
    var failure: Failure?
    /// Where in a file stands what was held back and is written already, to be cut off if it is taken back.
    var written: Range<off_t>?
  }

  /// How much is held back at most.
  static let heldCapacity = 1 << 20

  /// How long a write waits until it is the reader who is waited for, in nanoseconds.
  private static let patience = 100_000_000

  /// Large enough that system calls do not matter, small enough for the processor's cache.
  public static let capacity = 64 * 1024

  /// What a pipe is to hold once much is written to it: a writer then does not wait for its reader in the
  /// middle of each write.
  static let pipeCapacity: CInt = 256 * 1024

  /// The process's stdout, block-buffered at first.
  public static let shared = StandardOutput(
    descriptor: STDOUT_FILENO, name: "stdout", buffering: .blockBuffered)

  /// The descriptor that is written to.
  public let descriptor: CInt
  private let name: String
  private let state: Mutex<State>
  private let accepted = Atomic(0)
  private let hasBegun = Atomic(false)
  /// When the write under way began, in nanoseconds of the monotonic clock; 0 while there is none.
  private let writingSince = Atomic(0)
  /// The thread whose write is under way.
  private let writer = Mutex<pthread_t?>(nil)
  private let isBrokenOff = Atomic(false)
  private let hasHalted = Atomic(false)

  /// Makes an output over an open descriptor, which it closes when it is finished.
  public init(descriptor: CInt, name: String, buffering: Buffering) {
    self.descriptor = descriptor
    self.name = name
    state = Mutex(State(buffering: buffering))
  }

  /// Chooses when the buffer is written.
  public func setBuffering(_ buffering: Buffering) {
    state.withLock { $0.buffering = buffering }
  }

  /// Takes bytes to be written.
  ///
  /// - Throws: ``Failure`` if the system does not accept what came before, or these bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
    try state.withLock { (state) throws(Failure) in try append(bytes, to: &state) }
  }

  /// Takes text to be written, in UTF-8.
  ///
  /// - Throws: ``Failure`` if the system does not accept what came before, or this text.
  public func write(_ text: String) throws(Failure) {
    var text = text
    let failure = text.withUTF8 { bytes -> Failure? in
      do throws(Failure) {
        try write(UnsafeRawBufferPointer(bytes))
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  /// Writes what is in the buffer.
  ///
  /// - Throws: ``Failure`` if the system does not accept it.
  public func flush() throws(Failure) {
    try state.withLock { (state) throws(Failure) in try drain(&state) }
  }

  /// Begins to hold back what comes, so that it can be taken back.
  ///
  /// - Throws: ``Failure`` if the system does not accept what came before.
  public func hold() throws(Failure) {
    try state.withLock { (state) throws(Failure) in
      try drain(&state)
      state.buffering = .held
      state.hasLetGo = false
      state.written = nil
    }
  }

  /// Finds out whether what is held back can be written: a full disk must be known before anything takes
  /// effect.
  ///
  /// It is written, and from a plain file it can still be taken back. A pipe cannot be full in that way, so
  /// nothing is written to one.
  ///
  /// - Throws: ``Failure`` if the system does not accept it, or the reader has gone.
  public func proveWritable() throws(Failure) {
    try state.withLock { (state) throws(Failure) in
      guard !state.buffer.isEmpty else { return }
      if hasReader {
        if isHungUp { throw fail(&state, EPIPE) }
        return
      }
      let (start, hadLetGo) = (position, state.hasLetGo)
      let count = off_t(state.buffer.count)
      try drain(&state)
      guard let start, !hadLetGo else { return }
      state.written = start..<start + count
      state.hasLetGo = false
    }
  }

  /// Where the next byte of a plain file goes; `nil` for everything else.
  private var position: off_t? {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    if fcntl(descriptor, F_GETFL) & O_APPEND != 0 { return status.st_size }
    let place = lseek(descriptor, 0, SEEK_CUR)
    return place < 0 ? nil : place
  }

  /// Cuts off what was written, unless somebody else has written behind it.
  private func cutOff(_ written: Range<off_t>) -> Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size == written.upperBound,
      position == written.upperBound, ftruncate(descriptor, written.lowerBound) == 0
    else { return false }
    return fcntl(descriptor, F_GETFL) & O_APPEND != 0
      || lseek(descriptor, written.lowerBound, SEEK_SET) == written.lowerBound
  }

  /// Lets go what was held back.
  ///
  /// - Throws: ``Failure`` if the system does not accept it.
  public func release() throws(Failure) {
    try state.withLock { (state) throws(Failure) in
      state.buffering = .blockBuffered
      try drain(&state)
    }
  }

  /// Takes back what was held back; `false` if some of it was too much to hold, and is written.
  public func takeBack() -> Bool {
    state.withLock { state in
      guard state.buffering == .held, !state.hasLetGo, state.failure == nil else { return false }
      if let written = state.written, !cutOff(written) { return false }
      state.written = nil
      state.buffer.removeAll(keepingCapacity: true)
      return true
    }
  }

  /// Writes what is in the buffer and closes the descriptor.
  ///
  /// A second call does nothing.
  ///
  /// - Throws: ``Failure`` if the system did not accept every byte.
  public func finish() throws(Failure) {
    try state.withLock { (state) throws(Failure) in
      guard state.isOpen else { return }
      state.isOpen = false
      let fault = pushOut(&state)
      let closeFault = close(descriptor) == 0 || errno == EINTR ? 0 : errno
      if fault != 0 { throw Failure(stream: name, errno: fault) }
      if closeFault != 0, state.hasWritten { throw fail(&state, closeFault) }
    }
  }

  /// Whether anything was given to the system, which may have taken some of it.
  ///
  /// It can be asked while another thread waits for a reader.
  public var mayBeSeen: Bool { hasBegun.load(ordering: .relaxed) }

  /// How many bytes the system has taken, as far as it has said so: of a write under way it says nothing
  /// unless that is broken off (``breakOff()``).
  ///
  /// It can be asked while another thread waits for a reader.
  public var acceptedBytes: Int { accepted.load(ordering: .relaxed) }

  /// Breaks a write off that waits for a reader, so that ``acceptedBytes`` has what the system has taken of
  /// it, too.
  ///
  /// Whoever writes stays where he is from then on: it is for a process that is about to end.
  public func breakOff() {
    isBrokenOff.store(true, ordering: .relaxed)
    for _ in 0..<Self.breakingAttempts {
      let isWriting = writer.withLock { thread in
        // Under the lock, so that the thread is there.
        if let thread { Signals.interrupt(thread) }
        return thread != nil
      }
      if !isWriting || hasHalted.load(ordering: .acquiring) { return }
      usleep(1000)
    }
  }

  /// A signal that comes just before a write begins breaks nothing off; a write of which nothing was taken
  /// begins again.
  private static let breakingAttempts = 20

  /// Counts what the system has taken.
  private func note(accepted count: Int) {
    accepted.wrappingAdd(count, ordering: .relaxed)
    guard isBrokenOff.load(ordering: .relaxed) else { return }
    hasHalted.store(true, ordering: .releasing)
    while true { pause() }
  }

  /// Whether a write has been waiting for a while for somebody to read what came before.
  ///
  /// It can be asked while another thread waits for a reader.
  public var isStalled: Bool {
    let beginning = writingSince.load(ordering: .relaxed)
    return beginning != 0 && Self.nanoseconds - beginning >= Self.patience
  }

  private static var nanoseconds: Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec &* 1_000_000_000 &+ now.tv_nsec
  }

  /// Whether there is a reader who may go away, as behind a pipe.
  public var hasReader: Bool {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return false }
    return [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT)
  }

  /// Waits until the reader has gone, for ever if need be.
  public func waitForHangUp() {
    // An end of its own stays open, so that nothing else gets its number.
    let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
    guard own >= 0 else { return }
    defer { close(own) }
    Descriptor.waitForHangUp(own)
  }

  /// Whether the reader has gone, so that an idle program may end.
  public var isHungUp: Bool { Descriptor.isHungUp(descriptor) }

  private func append(_ bytes: UnsafeRawBufferPointer, to state: inout State) throws(Failure) {
    guard state.isOpen else { throw Failure(stream: name, errno: EBADF) }
    if let failure = state.failure { throw failure }
    if state.buffer.isEmpty, state.buffering != .held, bytes.count >= StandardOutput.capacity {
      return try send(bytes, &state)
    }
    state.buffer.append(contentsOf: bytes)
    let endsLine = state.buffering == .lineBuffered && bytes.contains(UInt8(ascii: "\n"))
    let capacity = state.buffering == .held ? Self.heldCapacity : Self.capacity
    if endsLine || state.buffer.count >= capacity { try drain(&state) }
  }

  private func drain(_ state: inout State) throws(Failure) {
    let fault = pushOut(&state)
    if fault != 0 { throw Failure(stream: name, errno: fault) }
  }

  /// Writes the buffer; returns 0 or the first fault, after which nothing is written any more.
  private func pushOut(_ state: inout State) -> CInt {
    if let failure = state.failure { return failure.errno }
    guard !state.buffer.isEmpty else { return 0 }
    state.hasWritten = true
    state.hasLetGo = true
    let fault = state.buffer.withUnsafeBytes { give($0) }
    state.buffer.removeAll(keepingCapacity: true)
    return fault == 0 ? 0 : fail(&state, fault).errno
  }

  private func send(_ bytes: UnsafeRawBufferPointer, _ state: inout State) throws(Failure) {
    if !state.isWide {
      Descriptor.widen(descriptor, to: Self.pipeCapacity)
      state.isWide = true
    }
    state.hasWritten = true
    state.hasLetGo = true
    let fault = give(bytes)
    if fault != 0 { throw fail(&state, fault) }
  }

  /// Gives bytes to the system; returns 0 or the fault.
  private func give(_ bytes: UnsafeRawBufferPointer) -> CInt {
    hasBegun.store(true, ordering: .relaxed)
    writingSince.store(Self.nanoseconds, ordering: .relaxed)
    let isOver = writer.withLock { thread in
      thread = pthread_self()
      return isBrokenOff.load(ordering: .relaxed)
    }
    // What nobody would count is not written.
    if isOver { note(accepted: 0) }
    defer {
      writer.withLock { $0 = nil }
      writingSince.store(0, ordering: .relaxed)
    }
    return Descriptor.write(bytes, to: descriptor) { note(accepted: $0) }
  }

  /// Remembers the first failure: every later call reports it again, and writes nothing.
  private func fail(_ state: inout State, _ fault: CInt) -> Failure {
    let failure = Failure(stream: name, errno: fault)
    state.failure = failure
    return failure
  }
}
