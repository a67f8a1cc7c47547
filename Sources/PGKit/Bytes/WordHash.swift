/// A fast hash of bytes into 128 bits, the same on every machine.
///
/// It finds accidents, not forgeries: whoever wants two rows of the same hash can make them.
///
/// Source: after wyhash (public domain): two lanes of multiplications whose halves are folded.
struct WordHash {
  private(set) var low: UInt64
  private(set) var high: UInt64

  private static let secrets: (UInt64, UInt64, UInt64) = (
    0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB, 0x8EBC_6AF0_9C88_C6E3
  )

  /// The hash of some bytes.
  init(_ bytes: UnsafeRawBufferPointer) {
    low = UInt64(truncatingIfNeeded: bytes.count) ^ Self.secrets.0
    high = Self.secrets.1
    var index = 0
    while index + 16 <= bytes.count {
      mix(Self.word(bytes, index), Self.word(bytes, index + 8))
      index += 16
    }
    if index < bytes.count {
      let first = Self.tail(bytes, index)
      mix(first, index + 8 < bytes.count ? Self.tail(bytes, index + 8) : 0)
    }
    mix(Self.secrets.2, low)
  }

  private mutating func mix(_ first: UInt64, _ second: UInt64) {
    let one = (low ^ first).multipliedFullWidth(by: second ^ Self.secrets.1)
    let two = (high ^ second).multipliedFullWidth(by: first ^ Self.secrets.2)
    low = (one.high ^ one.low) &+ Self.secrets.0 &+ low
    high = (two.high ^ two.low) &+ (high << 1 | high >> 63)
  }

  private static func word(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt64 {
    UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
  }

  /// The bytes that are there, as the lowest of a word.
  private static func tail(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> UInt64 {
    var word: UInt64 = 0
    var place = min(index + 8, bytes.count)
    while place > index {
      place -= 1
      word = word << 8 | UInt64(bytes[place])
    }
    return word
  }
}
