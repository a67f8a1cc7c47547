import PGTestCluster

/// A way in which the network may cut a run of bytes into pieces.
enum Fragmentation: Hashable, CustomStringConvertible {
  case whole
  case byteByByte
  /// Cut once, before the byte with this number.
  case split(at: Int)
  /// Cut into pieces of 1 to 16 bytes.
  case random(seed: UInt64)

  /// Every way to cut `count` bytes that is worth trying.
  static func all(of count: Int) -> [Fragmentation] {
    [.whole, .byteByByte] + (1...3).map { .random(seed: $0) }
      + (1..<max(count, 1)).map { .split(at: $0) }
  }

  /// Where the pieces of `count` bytes end.
  func ends(of count: Int) -> [Int] {
    switch self {
    case .whole: return [count]
    case .byteByByte: return Array(1..<(count + 1))
    case .split(let position): return position < count ? [position, count] : [count]
    case .random(let seed):
      var random = SeededGenerator(seed: seed)
      var ends: [Int] = []
      var end = 0
      while end < count {
        end = min(end + 1 + random.number(below: 16), count)
        ends.append(end)
      }
      return ends
    }
  }

  var description: String {
    switch self {
    case .whole: "whole"
    case .byteByByte: "byte by byte"
    case .split(let position): "split at \(position)"
    case .random(let seed): "split at random, seed \(seed)"
    }
  }
}
