internal import PGCommandLine

/// Memory that text is written into, value by value, with as little work for each as can be.
final class TextBuffer {
  private var writer = TextWriter()

  init() {}

  deinit { writer.free() }

  /// Lends the writer, and hands what was written to `buffer`.
  func fill(_ buffer: inout OutputBuffer, _ body: (inout TextWriter) -> Void) {
    // Taken out, so that the accesses in `body` are to a value of its own.
    var writer = self.writer
    body(&writer)
    buffer.append(writer.bytes)
    writer.clear()
    self.writer = writer
  }
}

/// Writes into memory that it makes room in first.
///
/// Whoever writes asks for the most that may be needed, and writes no more.
struct TextWriter {
  private var memory: UnsafeMutableRawPointer
  private var capacity: Int
  private var count = 0
  private static let usualCapacity = 128 << 10
  /// Memory that has grown beyond this for a long value is given back.
  private static let keptCapacity = 1 << 20

  init() {
    capacity = Self.usualCapacity
    memory = .allocate(byteCount: capacity, alignment: 16)
  }

  func free() { memory.deallocate() }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

  mutating func clear() {
    count = 0
    guard capacity > Self.keptCapacity else { return }
    memory.deallocate()
    self = TextWriter()
  }

  /// Makes room for so many bytes.
  @inline(__always)
  mutating func reserve(_ size: Int) {
    if capacity &- count < size { grow(by: size) }
  }

  @inline(never)
  private mutating func grow(by size: Int) {
    let larger = max(capacity * 2, count + size)
    let next = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    next.copyMemory(from: memory, byteCount: count)
    memory.deallocate()
    (memory, capacity) = (next, larger)
  }

  /// Writes a byte for which there is room.
  @inline(__always)
  mutating func put(_ byte: UInt8) {
    assert(count < capacity)
    memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count &+= 1
  }

  /// Makes room and writes a byte.
  @inline(__always)
  mutating func append(_ byte: UInt8) {
    reserve(1)
    put(byte)
  }

  /// Makes room and writes borrowed bytes.
  @inline(__always)
  mutating func append(_ value: UnsafeRawBufferPointer) {
    guard let start = value.baseAddress else { return }
    reserve(value.count)
    (memory + count).copyMemory(from: start, byteCount: value.count)
    count &+= value.count
  }

  /// Makes room and writes borrowed bytes while looking at them, eight at a time; says whether `isMarked`
  /// was true of any eight.
  ///
  /// Bytes may be looked at twice, and where there are fewer than eight, U+007F with them. Most values are
  /// short: two words that overlap are all of them, and no function is called.
  @inline(__always)
  mutating func append(
    _ value: UnsafeRawBufferPointer, lookingFor isMarked: (UInt64) -> Bool
  ) -> Bool {
    guard let source = value.baseAddress else { return false }
    let size = value.count
    reserve(size)
    let target = memory + count
    count &+= size
    if size >= 8 {
      var found = false
      var index = 0
      while index &+ 8 < size {
        found = Self.move(source, target, index, as: UInt64.self, isMarked) || found
        index &+= 8
      }
      return Self.move(source, target, size &- 8, as: UInt64.self, isMarked) || found
    }
    if size >= 4 {
      let first = Self.move(source, target, 0, as: UInt32.self, isMarked)
      return Self.move(source, target, size &- 4, as: UInt32.self, isMarked) || first
    }
    var found = false
    for index in 0..<size {
      found = Self.move(source, target, index, as: UInt8.self, isMarked) || found
    }
    return found
  }

  /// Moves as many bytes as the type has.
  @inline(__always)
  private static func move<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ offset: Int,
    as type: Word.Type,
    _ isMarked: (UInt64) -> Bool
  ) -> Bool {
    let word = source.loadUnaligned(fromByteOffset: offset, as: type)
    target.storeBytes(of: word, toByteOffset: offset, as: type)
    // A shift by all bits leaves none.
    let beyond: UInt64 = 0x7F7F_7F7F_7F7F_7F7F << Word.bitWidth
    return isMarked(UInt64(truncatingIfNeeded: word) | beyond)
  }

  /// Takes back the last bytes that were written.
  @inline(__always)
  mutating func takeBack(_ size: Int) { count &-= size }
}

/// Eight bytes looked at together.
enum EightBytes {
  /// Whether any byte of the word is `byte`.
  @inline(__always)
  static func has(_ byte: UInt8, in word: UInt64) -> Bool {
    let difference = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
    return (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080 != 0
  }

  /// Whether any byte of the word is below `limit`, which is at most 0x80.
  @inline(__always)
  static func hasBelow(_ limit: UInt8, in word: UInt64) -> Bool {
    (word &- 0x0101_0101_0101_0101 &* UInt64(limit)) & ~word & 0x8080_8080_8080_8080 != 0
  }
}
