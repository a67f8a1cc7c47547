/// A growing buffer of bytes to send; all integers are big-endian.
///
/// Lengths that precede their bytes are reserved and patched when the part is complete, so nothing
/// is built twice. A length that does not fit the protocol's 32 bits is not written at all: the
/// writer remembers the overflow, and whoever sends asks ``overflowed`` first, so that no message of
/// a wrapped length can leave (CVE-2024-27304 and its kin).
public struct ByteWriter {
  /// The largest body of one message or value: 1 GiB − 2, safely below what a signed length holds.
  public static let lengthLimit = 0x3FFF_FFFE

  /// The limit in use: tests have a smaller one, because they cannot spend a gigabyte.
  private let limit: Int

  /// What has been written.
  public private(set) var bytes: [UInt8] = []

  /// Whether a length was larger than ``lengthLimit``; the bytes must then not be sent.
  public private(set) var overflowed = false

  /// Makes an empty writer.
  public init() { limit = Self.lengthLimit }

  init(lengthLimit: Int) { limit = lengthLimit }

  /// The number of bytes written.
  public var count: Int { bytes.count }

  /// Whether nothing has been written.
  public var isEmpty: Bool { bytes.isEmpty }

  /// Reserves room for `count` more bytes.
  public mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

  /// Writes one byte.
  @inline(__always)
  public mutating func writeByte(_ byte: UInt8) { bytes.append(byte) }

  /// Writes an integer, most significant byte first.
  @inline(__always)
  public mutating func writeInteger<Integer: FixedWidthInteger>(_ value: Integer) {
    // Byte by byte: appending a buffer costs more than these few bytes.
    var shift = Integer.bitWidth - 8
    while shift >= 0 {
      bytes.append(UInt8(truncatingIfNeeded: value >> Integer(truncatingIfNeeded: shift)))
      shift -= 8
    }
  }

  /// Writes bytes as they are.
  public mutating func writeBytes(_ source: [UInt8]) {
    source.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }

  /// Writes bytes as they are.
  public mutating func writeBytes(_ source: some Sequence<UInt8>) {
    bytes.append(contentsOf: source)
  }

  /// Writes borrowed bytes as they are.
  public mutating func writeBytes(_ source: UnsafeRawBufferPointer) {
    bytes.append(contentsOf: source)
  }

  /// Writes text as UTF-8 without an end.
  public mutating func writeText(_ text: some StringProtocol) {
    bytes.append(contentsOf: text.utf8)
  }

  /// Writes text as UTF-8 and the zero byte that ends it.
  ///
  /// The caller has checked that the text has no zero byte of its own.
  public mutating func writeTerminated(_ text: some StringProtocol) {
    bytes.append(contentsOf: text.utf8)
    bytes.append(0)
  }

  /// Writes what `body` writes, preceded by its length as a 32-bit integer.
  ///
  /// - Parameters:
  ///   - includingItself: Whether the length counts its own four bytes, as a message's does and a
  ///     value's does not.
  ///   - body: What writes what is counted.
  @inline(__always)
  public mutating func writeLengthPrefixed<Failure: Error>(
    includingItself: Bool = false, _ body: (inout ByteWriter) throws(Failure) -> Void
  ) throws(Failure) {
    let start = bytes.count
    writeInteger(0 as Int32)
    try body(&self)
    patchLength(bytes.count - start - (includingItself ? 0 : 4), at: start)
  }

  /// Puts a length over four bytes written earlier, or overflows if it is too large.
  mutating func patchLength(_ length: Int, at offset: Int) {
    if length > limit { overflowed = true }
    patch(Int32(truncatingIfNeeded: length), at: offset)
  }

  /// Puts `value` over four bytes written earlier.
  mutating func patch(_ value: Int32, at offset: Int) {
    bytes.withUnsafeMutableBytes {
      $0.storeBytes(of: value.bigEndian, toByteOffset: offset, as: Int32.self)
    }
  }

  /// Removes everything from `count` on: what was written after that point is taken back.
  public mutating func truncate(to count: Int) {
    if count < bytes.count { bytes.removeLast(bytes.count - count) }
    overflowed = false
  }

  /// Removes the first `count` bytes: they have been sent.
  ///
  /// The memory is kept for the next message.
  public mutating func removeFirst(_ count: Int) {
    if count == bytes.count {
      bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptCapacity)
      overflowed = false
    } else {
      bytes.removeFirst(count)
    }
  }

  /// Beyond this capacity an empty writer gives its memory back: one huge parameter must not be
  /// held for the life of a connection.
  private static let keptCapacity = 256 * 1024
}
