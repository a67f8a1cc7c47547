/// Random numbers that are the same in each run (SplitMix64), so that a failure can be had again.
public struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  /// Makes the generator of a sequence.
  public init(seed: UInt64) { state = seed }

  /// The next number of the sequence.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number below `bound`.
  public mutating func number(below bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// `count` arbitrary bytes.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    var output: [UInt8] = []
    while output.count < count {
      withUnsafeBytes(of: next()) { output.append(contentsOf: $0) }
    }
    return Array(output.prefix(count))
  }
}
