/// The reader ran out of bytes, or a count in the bytes could not be true.
///
/// Bytes knows nothing of errors above it: Wire and Types say what this means where it happens.
public struct OutOfBytes: Error, Equatable {
  /// Makes the error.
  public init() {}
}

/// A cursor over borrowed bytes: every read is checked, all integers are big-endian.
///
/// This is the only way in which a byte from a server reaches the driver. Nothing here traps on
/// what the bytes say: a read beyond the end throws ``OutOfBytes``, and counts are compared with
/// what remains before anybody allocates or loops over them.
///
/// A reader borrows its memory. It is valid only within the call that it was handed to and must
/// not be kept.
public struct ByteReader {
  @usableFromInline var position: UnsafeRawPointer
  @usableFromInline let end: UnsafeRawPointer

  /// Reads `bytes` from its start.
  @inlinable
  public init(_ bytes: UnsafeRawBufferPointer) {
    // An empty buffer may have no address; any address does for reading nothing from it.
    let base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
    position = base
    end = base + bytes.count
  }

  /// Lends a reader over a part of an array to `body`.
  public static func over<Result, Failure: Error>(
    _ bytes: ArraySlice<UInt8>, _ body: (inout ByteReader) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let outcome: Swift.Result<Result, Failure> = bytes.withUnsafeBytes { buffer in
      var reader = ByteReader(buffer)
      do throws(Failure) { return .success(try body(&reader)) } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  /// Lends a reader over `bytes` to `body`.
  @inlinable
  public static func over<Result, Failure: Error>(
    _ bytes: [UInt8], _ body: (inout ByteReader) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Kept in a local: withUnsafeBytes rethrows untyped.
    let outcome: Swift.Result<Result, Failure> = bytes.withUnsafeBytes { buffer in
      var reader = ByteReader(buffer)
      do throws(Failure) { return .success(try body(&reader)) } catch { return .failure(error) }
    }
    return try outcome.get()
  }

  /// The number of bytes not yet read.
  @inlinable public var remaining: Int { end - position }

  /// Whether everything has been read.
  @inlinable public var isAtEnd: Bool { position == end }

  /// Reads a big-endian integer of the type asked for.
  ///
  /// - Throws: ``OutOfBytes`` if fewer bytes remain than the type is wide.
  @inlinable
  public mutating func readInteger<Value: FixedWidthInteger>(
    _ type: Value.Type = Value.self
  ) throws(OutOfBytes) -> Value {
    guard remaining >= MemoryLayout<Value>.size else { throw OutOfBytes() }
    let value = position.loadUnaligned(as: Value.self)
    position += MemoryLayout<Value>.size
    return Value(bigEndian: value)
  }

  /// The big-endian integer that what remains is; `nil` if it is longer or shorter.
  @inlinable @inline(__always)
  public func wholeInteger<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) -> Value? {
    guard remaining == MemoryLayout<Value>.size else { return nil }
    return Value(bigEndian: position.loadUnaligned(as: Value.self))
  }

  /// Reads one byte.
  @inlinable public mutating func readByte() throws(OutOfBytes) -> UInt8 { try readInteger() }

  /// Reads a 16-bit count of things that take at least `size` bytes each.
  ///
  /// The count is unsigned on the wire. One that the remaining bytes cannot hold is refused, so
  /// that nobody reserves memory for it.
  @inlinable
  public mutating func readCount16(ofSize size: Int) throws(OutOfBytes) -> Int {
    let count = Int(try readInteger(UInt16.self))
    guard count <= remaining / max(size, 1) else { throw OutOfBytes() }
    return count
  }

  /// Reads a 32-bit count of things that take at least `size` bytes each; negative is refused.
  @inlinable
  public mutating func readCount32(ofSize size: Int) throws(OutOfBytes) -> Int {
    let count = Int(try readInteger(Int32.self))
    guard count >= 0, count <= remaining / max(size, 1) else { throw OutOfBytes() }
    return count
  }

  /// Reads a 32-bit length: `nil` for −1, which stands for NULL.
  ///
  /// - Throws: ``OutOfBytes`` for any other negative length, or one beyond the end.
  @inlinable
  public mutating func readNullableLength() throws(OutOfBytes) -> Int? {
    let length = try readInteger(Int32.self)
    if length == -1 { return nil }
    guard length >= 0, Int(length) <= remaining else { throw OutOfBytes() }
    return Int(length)
  }

  /// Reads `count` bytes as a reader of their own.
  @inlinable
  public mutating func readSlice(_ count: Int) throws(OutOfBytes) -> ByteReader {
    guard count >= 0, count <= remaining else { throw OutOfBytes() }
    let slice = ByteReader(UnsafeRawBufferPointer(start: position, count: count))
    position += count
    return slice
  }

  /// Reads `count` bytes into an array.
  public mutating func readBytes(_ count: Int) throws(OutOfBytes) -> [UInt8] {
    var slice = try readSlice(count)
    return slice.readRemaining()
  }

  /// Reads everything that remains into an array.
  public mutating func readRemaining() -> [UInt8] {
    defer { position = end }
    return Array(unread)
  }

  /// Skips `count` bytes.
  @inlinable
  public mutating func skip(_ count: Int) throws(OutOfBytes) {
    guard count >= 0, count <= remaining else { throw OutOfBytes() }
    position += count
  }

  /// Reads bytes up to a zero byte, which is consumed, as a reader of their own.
  ///
  /// - Throws: ``OutOfBytes`` if there is no zero byte.
  public mutating func readTerminated() throws(OutOfBytes) -> ByteReader {
    guard let length = distanceToZero() else { throw OutOfBytes() }
    let slice = try readSlice(length)
    try skip(1)
    return slice
  }

  /// How many bytes stand before a zero byte; sixteen are looked at at once.
  private func distanceToZero() -> Int? {
    let bytes = unread
    var index = 0
    while index + 16 <= bytes.count {
      // Without a branch for each byte, so that a few instructions do it.
      var zeros: UInt8 = 0
      for place in index..<index + 16 { zeros |= bytes[place] == 0 ? 1 : 0 }
      if zeros != 0 { break }
      index += 16
    }
    while index < bytes.count {
      if bytes[index] == 0 { return index }
      index += 1
    }
    return nil
  }

  /// Reads zero-terminated text.
  ///
  /// Bytes that are not UTF-8 are repaired: names and messages may come in any encoding before the
  /// session has one. Values never pass here; see ``readText()``.
  public mutating func readTerminatedString() throws(OutOfBytes) -> String {
    var bytes = try readTerminated()
    let copy = bytes
    return bytes.readText() ?? String(decoding: copy.unread, as: UTF8.self)
  }

  /// Reads everything that remains as text; `nil` if it is not valid UTF-8.
  public mutating func readText() -> String? {
    defer { position = end }
    // Three times as fast as String(validating:as:), which transcodes.
    guard let valid = try? UTF8Span(validating: unread.assumingMemoryBound(to: UInt8.self).span)
    else { return nil }
    return String(copying: valid)
  }

  /// The bytes not yet read, borrowed as the reader itself is.
  @inlinable public var unread: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: position, count: remaining)
  }
}
