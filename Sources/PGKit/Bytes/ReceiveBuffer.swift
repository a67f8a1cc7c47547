/// Memory that bytes are received into: filled at the end, consumed at the front.
///
/// A class, because a batch of rows keeps the very memory that its rows were received into instead
/// of copying them: the session gives the buffer away with the rows and goes on with another one
/// unless the batch is gone by then (see `Session/Inbox.swift`).
final class ReceiveBuffer {
  /// Room for two TLS records: what one read can bring.
  static let initialCapacity = 32 * 1024

  /// The most that is allocated because a message only says that it will be so long.
  ///
  /// For more, its bytes must come. A few lying bytes then cost a client little, and an honest
  /// message is copied about once.
  static let leap = 16 << 20

  private(set) var memory: UnsafeMutableRawBufferPointer
  /// Where the bytes not yet consumed begin.
  private(set) var start = 0
  /// Where they end and the free room begins.
  private(set) var end = 0

  /// How many bytes it has room for.
  var capacity: Int { memory.count }

  init(capacity: Int = initialCapacity) {
    memory = .allocate(byteCount: max(capacity, 16), alignment: 16)
  }

  deinit { memory.deallocate() }

  /// The number of bytes received and not yet consumed.
  var count: Int { end - start }

  /// The address of offset 0; offsets stay true until ``makeRoom(for:)``.
  var base: UnsafeRawPointer { UnsafeRawPointer(memory.baseAddress.unsafelyUnwrapped) }

  /// The bytes received and not yet consumed.
  var unread: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: memory[start..<end]) }

  /// The tag and the length of the message at the front; zeros if not all of these have come.
  var frontHeader: (tag: UInt8, length: Int32) {
    guard count >= 5 else { return (0, 0) }
    return (
      memory[start],
      Int32(bigEndian: memory.loadUnaligned(fromByteOffset: start + 1, as: Int32.self))
    )
  }

  /// The room behind them.
  var free: UnsafeMutableRawBufferPointer { .init(rebasing: memory[end...]) }

  /// Says that `count` bytes were put at the start of ``free``.
  func received(_ count: Int) {
    precondition(count >= 0 && count <= memory.count - end)
    end += count
  }

  /// Says that the first `count` bytes have been understood.
  func consume(_ count: Int) {
    precondition(count >= 0 && count <= self.count)
    start += count
    if start == end { (start, end) = (0, 0) }
  }

  /// Finds the whole messages of one kind at the front.
  ///
  /// - Parameters:
  ///   - headerSize: The size of a message's tag and length.
  ///   - bodyLimit: The longest body; a longer one ends the search, and is for others to refuse.
  /// - Returns: How many bytes they take, and how many they are.
  func scanMessages(tag: UInt8, headerSize: Int, bodyLimit: Int) -> (size: Int, count: Int) {
    var place = start
    var count = 0
    while place < end, memory[place] == tag,
      let body = message(at: place, headerSize: headerSize, in: start..<end),
      body.count <= bodyLimit
    {
      place = body.upperBound
      count += 1
    }
    return (place - start, count)
  }

  /// The body of the message that begins at an offset.
  ///
  /// - Returns: `nil` if it does not end within `range`, or its length cannot be true.
  @inline(__always)
  func message(at place: Int, headerSize: Int, in range: Range<Int>) -> Range<Int>? {
    guard place >= range.lowerBound, range.upperBound <= memory.count else { return nil }
    let body = place + headerSize
    guard body <= range.upperBound else { return nil }
    let stored = memory.loadUnaligned(fromByteOffset: place + 1, as: UInt32.self)
    // The length counts itself, and not the tag.
    let end = place + 1 + Int(UInt32(bigEndian: stored))
    return end >= body && end <= range.upperBound ? body..<end : nil
  }

  /// Makes one message of the whole messages of one kind at the beginning of a range, in their place: the
  /// first one's tag, a length, and all bodies.
  ///
  /// - Parameters:
  ///   - headerSize: The size of a message's tag and length.
  ///   - bodyLimit: The longest body; a longer one ends the search, and is for others to refuse.
  /// - Returns: How many bytes they took, how many they were, and where the one lies.
  func joinMessages(
    in range: Range<Int>, tag: UInt8, headerSize: Int, bodyLimit: Int
  ) -> (size: Int, count: Int, joined: Range<Int>) {
    let memory = memory
    let first = range.lowerBound
    guard first >= 0, range.upperBound <= memory.count, let base = memory.baseAddress else {
      return (0, 0, first..<first)
    }
    var (source, target, count) = (first, first + headerSize, 0)
    // The last body that is moved in steps: they carry along what lies behind it, which must be memory.
    let lastInSteps = memory.count - Self.shortBody
    // What message(at:) does for one, without its checks for overflow, for which there are as many rows as
    // there are: all places are within the memory, or a length of 32 bits beyond it.
    while range.upperBound &- source >= headerSize,
      base.load(fromByteOffset: source, as: UInt8.self) == tag
    {
      let stored = base.loadUnaligned(fromByteOffset: source &+ 1, as: UInt32.self)
      let body = source &+ headerSize
      // The length counts itself, and not the tag.
      let end = source &+ 1 &+ Int(UInt32(bigEndian: stored))
      let size = end &- body
      guard size >= 0, end <= range.upperBound, size <= bodyLimit else { break }
      // Never to where something is still to be read.
      if body &- target >= Self.step, size <= Self.shortBody, body <= lastInSteps {
        var moved = 0
        while moved < size {
          (base + (target &+ moved)).copyMemory(
            from: base + (body &+ moved), byteCount: Self.step)
          moved &+= Self.step
        }
      } else if body != target {
        (base + target).copyMemory(from: base + body, byteCount: size)
      }
      target &+= size
      source = end
      count &+= 1
    }
    guard count > 0 else { return (0, 0, first..<first) }
    memory.storeBytes(
      of: UInt32(truncatingIfNeeded: target - first - 1).bigEndian, toByteOffset: first + 1,
      as: UInt32.self)
    return (source - first, count, first..<target)
  }

  /// How much is moved at once: in so few instructions that calling the system's function takes longer.
  private static let step = 64
  /// The longest body that is moved so.
  private static let shortBody = 512

  /// Makes sure that a message of `needed` bytes at the front fits, moving what is there to the
  /// beginning when the room behind it is too small and growing when the whole is.
  func makeRoom(for needed: Int) {
    // Moving little costs less than a read into less room.
    let isLittle = count <= memory.count / 16
    if isLittle || start + needed > memory.count || end == memory.count { moveToFront() }
    let wanted = min(needed, Self.leap)
    if memory.count < wanted || end == memory.count { grow(to: max(memory.count * 2, wanted)) }
  }

  private func moveToFront() {
    guard start > 0 else { return }
    memory.baseAddress.unsafelyUnwrapped.copyMemory(from: base + start, byteCount: count)
    (start, end) = (0, count)
  }

  private func grow(to capacity: Int) {
    let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    larger.copyMemory(from: unread)
    memory.deallocate()
    memory = larger
    (start, end) = (0, count)
  }

  /// A new buffer that begins with the bytes not yet consumed here.
  func successor(
    needing needed: Int, atLeast least: Int = ReceiveBuffer.initialCapacity
  ) -> ReceiveBuffer {
    let next = ReceiveBuffer(capacity: successorCapacity(needing: needed, atLeast: least))
    next.begin(with: unread)
    return next
  }

  /// Forgets what it held, and begins with the bytes that another one has not yet consumed.
  ///
  /// - Returns: Whether it is as large as that one's successor must be; if not, it is as it was.
  func goesOn(from other: ReceiveBuffer, needing needed: Int, atLeast least: Int) -> Bool {
    guard capacity >= other.successorCapacity(needing: needed, atLeast: least) else { return false }
    begin(with: other.unread)
    return true
  }

  private func successorCapacity(needing needed: Int, atLeast least: Int) -> Int {
    // What is there may be more than one message needs: a grown buffer full of short ones.
    max(least, min(needed, Self.leap), count + Self.initialCapacity / 2)
  }

  private func begin(with bytes: UnsafeRawBufferPointer) {
    memory.copyMemory(from: bytes)
    (start, end) = (0, bytes.count)
  }
}
