import Testing

@testable import PGKit

@Suite("State × message") struct StateTableTests {
  private static let samples: [(name: String, bytes: [UInt8])] = SessionScene.samples
    .sorted { $0.key < $1.key }.compactMap { name, text in
      (try? BackendEncoder.encode(text)).map { (name, $0) }
    }

  private static let lengths = [-2, -1, 0, 3, 0x4000_0000, 0x7FFF_FFFF, 0x8000_0000]

  @Test("there is a sample of every message")
  func isComplete() {
    let tags = Set(Self.samples.compactMap(\.bytes.first))
    #expect(tags.count == 24)
    #expect(Self.samples.count == SessionScene.samples.count)
  }

  @Test("every message has its outcome", arguments: SessionScene.all)
  func outcomes(scene: SessionScene) throws {
    for (name, bytes) in Self.samples {
      let outcome = try scene.play().receive(bytes)
      #expect(outcome == scene.outcomes[name] ?? "over 08P01", "\(scene): \(name)")
    }
  }

  @Test("a body that is too long or too short ends the session", arguments: SessionScene.all)
  func bodies(scene: SessionScene) throws {
    // In these the end of the body is the end of their last field, or another field has its place.
    let open: Set = ["d", "R/final", "K"]
    for (name, bytes) in Self.samples {
      let body = Array(bytes.dropFirst(5))
      let tag = bytes[0]
      let longer = try scene.play().receive(BackendEncoder.message(tag, body + [0]))
      if !open.contains(name) { #expect(longer == "over 08P01", "\(scene): \(name) + 1") }
      for length in body.indices where !open.contains(name) {
        let shorter = try scene.play().receive(BackendEncoder.message(tag, Array(body[..<length])))
        #expect(shorter == "over 08P01", "\(scene): \(name), \(length) of \(body.count) bytes")
      }
    }
  }

  @Test("a length that cannot be is refused before the message comes", arguments: SessionScene.all)
  func impossibleLengths(scene: SessionScene) throws {
    for tag in UInt8.min...UInt8.max {
      for length in Self.lengths {
        let outcome = try scene.play().receive([tag] + BackendEncoder.header(length))
        #expect(outcome == "over 08P01", "\(scene): tag \(tag), length \(length)")
      }
    }
  }

  @Test("an unknown type is refused before the message comes", arguments: SessionScene.all)
  func unknownTypes(scene: SessionScene) throws {
    let known = Set(Self.samples.map { $0.bytes[0] }).subtracting([UInt8(ascii: "V")])
    for tag in UInt8.min...UInt8.max where !known.contains(tag) {
      #expect(try scene.play().receive([tag, 0, 0, 1, 0]) == "over 08P01", "\(scene): tag \(tag)")
    }
  }

  @Test("a failed session does nothing more", arguments: SessionScene.all)
  func staysFailed(scene: SessionScene) throws {
    let player = try scene.play()
    #expect(player.receive([0, 0, 0, 0, 4]) == "over 08P01")
    for (_, bytes) in Self.samples { #expect(player.receive(bytes) == "over 08P01") }
  }
}
