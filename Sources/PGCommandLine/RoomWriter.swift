/// Writes into room that was made for it, with as little work for each value as can be.
///
/// ``OutputBuffer/write(atMost:_:)`` makes the room and lends the writer. Each write is compared with the
/// room that is left: whoever asks for too little stops the program, and nothing is overwritten.
public struct RoomWriter: ~Copyable {
  @usableFromInline var position: UnsafeMutableRawPointer
  @usableFromInline let start: UnsafeMutableRawPointer
  @usableFromInline let end: UnsafeMutableRawPointer

  /// Sixteen bytes looked at together.
  public typealias Words = SIMD2<UInt64>

  @inlinable
  init(_ room: UnsafeMutableRawBufferPointer) {
    // Empty room may have no address; any address does for writing nothing to it.
    start = room.baseAddress ?? UnsafeMutableRawPointer(bitPattern: 1).unsafelyUnwrapped
    position = start
    end = start + room.count
  }

  /// How many bytes were written.
  @inlinable public var count: Int { position - start }

  /// Takes so many bytes of the room.
  @inlinable
  @inline(__always)
  mutating func take(_ size: Int) -> UnsafeMutableRawPointer {
    precondition(size >= 0 && size <= end - position)
    let place = position
    position += size
    return place
  }

  /// Writes a byte.
  @inlinable
  @inline(__always)
  public mutating func put(_ byte: UInt8) { take(1).storeBytes(of: byte, as: UInt8.self) }

  /// Writes borrowed bytes.
  @inlinable
  @inline(__always)
  public mutating func put(_ bytes: UnsafeRawBufferPointer) {
    guard let source = bytes.baseAddress else { return }
    take(bytes.count).copyMemory(from: source, byteCount: bytes.count)
  }

  /// Writes borrowed bytes while looking at them, sixteen at a time; says whether `isMarked` was true of
  /// any sixteen.
  ///
  /// Bytes may be looked at twice, and where there are fewer than sixteen, U+007F with them. Most values are
  /// short: two loads that overlap are all of them, and no function is called.
  @inlinable
  @inline(__always)
  public mutating func put(
    _ bytes: UnsafeRawBufferPointer, lookingFor isMarked: (Words) -> Bool
  ) -> Bool {
    guard let source = bytes.baseAddress else { return false }
    let size = bytes.count
    let target = take(size)
    if size >= 16 {
      var found = false
      var index = 0
      while index &+ 16 < size {
        found = Self.move(source, target, index, isMarked) || found
        index &+= 16
      }
      return Self.move(source, target, size &- 16, isMarked) || found
    }
    if size >= 8 {
      let first = Self.moveWord(source, target, 0, as: UInt64.self)
      return isMarked(Words(first, Self.moveWord(source, target, size &- 8, as: UInt64.self)))
    }
    if size >= 4 {
      let first = Self.moveWord(source, target, 0, as: UInt32.self)
      let last = Self.moveWord(source, target, size &- 4, as: UInt32.self)
      return isMarked(Words(repeating: first | last << 32))
    }
    var word: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    for index in 0..<size {
      word = word << 8 | Self.moveWord(source, target, index, as: UInt8.self)
    }
    return isMarked(Words(repeating: word))
  }

  @inlinable
  @inline(__always)
  static func move(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ offset: Int,
    _ isMarked: (Words) -> Bool
  ) -> Bool {
    let words = source.loadUnaligned(fromByteOffset: offset, as: Words.self)
    target.storeBytes(of: words, toByteOffset: offset, as: Words.self)
    return isMarked(words)
  }

  @inlinable
  @inline(__always)
  static func moveWord<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ target: UnsafeMutableRawPointer, _ offset: Int, as type: Word.Type
  ) -> UInt64 {
    let word = source.loadUnaligned(fromByteOffset: offset, as: type)
    target.storeBytes(of: word, toByteOffset: offset, as: type)
    return UInt64(truncatingIfNeeded: word)
  }

  /// Takes back the last bytes that were written.
  @inlinable
  @inline(__always)
  public mutating func takeBack(_ size: Int) {
    precondition(size >= 0 && size <= count)
    position -= size
  }
}

extension SIMD2<UInt64> {
  /// The words in which the highest bit of a byte is set where a byte here is `byte`, and perhaps of bytes
  /// above such a one.
  @inlinable
  @inline(__always)
  public func marking(_ byte: UInt8) -> SIMD2<UInt64> {
    let difference = self ^ SIMD2(repeating: 0x0101_0101_0101_0101 &* UInt64(byte))
    return (difference &- SIMD2(repeating: 0x0101_0101_0101_0101)) & ~difference
  }

  /// The same for bytes below `limit`, which is at most 0x80.
  @inlinable
  @inline(__always)
  public func markingBelow(_ limit: UInt8) -> SIMD2<UInt64> {
    (self &- SIMD2(repeating: 0x0101_0101_0101_0101 &* UInt64(limit))) & ~self
  }

  /// Whether the highest bit of any byte is set.
  @inlinable
  @inline(__always)
  public var hasMark: Bool { (self[0] | self[1]) & 0x8080_8080_8080_8080 != 0 }
}
