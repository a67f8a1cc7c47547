import PGTestCluster
import Testing

@testable import PGKit

/// Whatever a server says gives progress or an error, in bounded memory; a trap would end the run.
@Suite("Hostile bytes", .timeLimit(.minutes(2))) struct HostileBytesTests {
  private static let samples: [[UInt8]] = SessionScene.samples.values.sorted().compactMap {
    try? BackendEncoder.encode($0)
  }
  private static let count = 201_000
  /// Larger than what a few bytes may cost.
  private static let memoryLimit = 2 * ReceiveBuffer.leap

  private func judge(
    _ scene: SessionScene, _ make: (inout SeededGenerator) -> [UInt8]
  ) throws -> Set<String> {
    var random = SeededGenerator(seed: 2026)
    var outcomes: Set<String> = []
    for _ in 0..<(Self.count / 3 / SessionScene.all.count) {
      let player = try scene.play()
      let bytes = make(&random)
      let cut = random.number(below: bytes.count + 1)
      for piece in [bytes[..<cut], bytes[cut...]] {
        let outcome = player.receive(piece)
        outcomes.insert(String(outcome.prefix(6)))
        if outcome == "loops" || player.session.inbox.buffer.memory.count > Self.memoryLimit {
          Issue.record("\(scene): \(outcome) after \(bytes)")
          return outcomes
        }
      }
    }
    return outcomes
  }

  @Test("arbitrary bytes", arguments: SessionScene.all)
  func arbitrary(scene: SessionScene) throws {
    let outcomes = try judge(scene) { $0.bytes($0.number(below: 64)) }
    #expect(outcomes.contains("over 0"))
  }

  @Test("messages of known types with arbitrary bodies", arguments: SessionScene.all)
  func arbitraryBodies(scene: SessionScene) throws {
    let outcomes = try judge(scene) { random in
      var bytes: [UInt8] = []
      for _ in 0..<(1 + random.number(below: 3)) {
        let tag = Self.samples[random.number(below: Self.samples.count)][0]
        bytes += BackendEncoder.message(tag, random.bytes(random.number(below: 24)))
      }
      return bytes
    }
    #expect(outcomes.contains("over 0"))
  }

  @Test("messages in which a byte is wrong", arguments: SessionScene.all)
  func mutations(scene: SessionScene) throws {
    let outcomes = try judge(scene) { random in
      var bytes: [UInt8] = []
      for _ in 0..<(1 + random.number(below: 3)) {
        bytes += Self.samples[random.number(below: Self.samples.count)]
      }
      for _ in 0..<random.number(below: 3) {
        bytes[random.number(below: bytes.count)] = UInt8(truncatingIfNeeded: random.next())
      }
      return bytes
    }
    #expect(outcomes.contains("over 0"))
    #expect(outcomes.contains("accept"))
  }
}
