import Testing

@testable import PGKit

@Suite struct SecureRandomTests {
  @Test("never gives the same bytes twice")
  func differs() throws {
    let samples = try (0..<100).map { _ in try SecureRandom.bytes(18) }
    #expect(samples.allSatisfy { $0.count == 18 })
    #expect(Set(samples).count == 100)
  }

  @Test("gives no bytes when none are asked for")
  func none() throws {
    #expect(try SecureRandom.bytes(0).isEmpty)
  }
}
