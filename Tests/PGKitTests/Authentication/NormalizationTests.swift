import Testing

@testable import PGKit

@Suite struct NormalizationTests {
  private func nfkc(_ codes: [UInt32]) -> [UInt32] {
    Normalization.nfkc(codes.compactMap { Unicode.Scalar($0) }).map(\.value)
  }

  @Test(
    "composes, decomposes and orders marks",
    arguments: [
      ([0x41, 0x300], [0xC0]),
      ([0xC0], [0xC0]),
      // The lower class comes first; the cedilla joins, the dot above stays.
      ([0x63, 0x307, 0x327], [0xE7, 0x307]),
      // Two marks of one class keep their order, and the second is blocked.
      ([0x61, 0x300, 0x301], [0xE0, 0x301]),
      // A starter between them blocks.
      ([0x61, 0x20, 0x300], [0x61, 0x20, 0x300]),
      // Excluded from composition.
      ([0x958], [0x915, 0x93C]),
      // Two starters that compose.
      ([0x9C7, 0x9BE], [0x9CB]),
      // Compatibility: a fraction, a circled number, Angstrom.
      ([0xBD], [0x31, 0x2044, 0x32]), ([0x2460], [0x31]), ([0x212B], [0xC5]),
      // Marks without a starter.
      ([0x301, 0x61], [0x301, 0x61]), ([0x344], [0x308, 0x301]),
      ([], []),
    ] as [([UInt32], [UInt32])])
  func normalises(input: [UInt32], want: [UInt32]) {
    #expect(nfkc(input) == want)
  }

  @Test("takes Hangul syllables apart and together again")
  func hangul() {
    for code in stride(from: UInt32(0xAC00), through: 0xD7A3, by: 7) {
      #expect(nfkc(Hangul.decompose(code) ?? []) == [code])
    }
    #expect(Hangul.decompose(0xAC00) == [0x1100, 0x1161])
    #expect(Hangul.decompose(0xD7A3) == [0x1112, 0x1175, 0x11C2])
    #expect(Hangul.decompose(0xABFF) == nil)
    #expect(Hangul.decompose(0xD7A4) == nil)
    #expect(Hangul.compose(0xAC00, 0x11A7) == nil)
    #expect(Hangul.compose(0xAC01, 0x11A8) == nil)
  }

  @Test("orders a very long run of marks without effort")
  func longRun() {
    let marks = (0..<20_000).map { UInt32($0.isMultiple(of: 2) ? 0x316 : 0x327) }
    let output = nfkc([0x20] + marks)
    #expect(output.dropFirst().prefix(10_000).allSatisfy { $0 == 0x327 })
    #expect(output.suffix(10_000).allSatisfy { $0 == 0x316 })
  }
}
