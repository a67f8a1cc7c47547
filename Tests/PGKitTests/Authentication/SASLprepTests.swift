import Foundation
import Testing

@testable import PGKit

@Suite struct SASLprepTests {
  private struct Samples: Decodable {
    struct Case: Decodable {
      let input: String
      let output: String
    }
    let normalDigest: String
    let cases: [Case]
  }

  private static func samples() throws -> Samples {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let file = folder.appendingPathComponent("../Vectors/saslprep.json")
    return try JSONDecoder().decode(Samples.self, from: Data(contentsOf: file))
  }

  private func prepare(_ text: String) -> [UInt8] { SASLprep.prepare(Array(text.utf8)) }

  // RFC 4013 section 3; where it says "error", PostgreSQL takes the bytes.
  @Test(
    "prepares RFC 4013's examples",
    arguments: [
      ("I\u{AD}X", "IX"), ("user", "user"), ("USER", "USER"), ("\u{AA}", "a"), ("\u{2168}", "IX"),
      ("\u{7}", "\u{7}"), ("\u{627}\u{31}", "\u{627}\u{31}"),
    ])
  func examples(text: String, want: String) {
    #expect(prepare(text) == Array(want.utf8))
  }

  @Test(
    "maps, normalises, and leaves alone what it may not touch",
    arguments: [
      ("a\u{A0}b", "a b"), ("a\u{3000}b", "a b"), ("a\u{200B}b", "a b"), ("a\u{200D}b", "ab"),
      ("\u{FF50}\u{FF57}", "pw"), ("e\u{301}", "\u{E9}"), ("\u{FB01}", "fi"),
      ("\u{1100}\u{1161}\u{11A8}", "\u{AC01}"),
      // Only soft hyphens: nothing would be left.
      ("\u{AD}", "\u{AD}"),
      // Unassigned in Unicode 3.2, private use, control, tagging.
      ("\u{FF50}\u{221}", "\u{FF50}\u{221}"), ("\u{FF50}\u{E000}", "\u{FF50}\u{E000}"),
      ("\u{FF50}\u{85}", "\u{FF50}\u{85}"), ("\u{FF50}\u{E0001}", "\u{FF50}\u{E0001}"),
      ("\u{FF50}\u{1F600}", "\u{FF50}\u{1F600}"),
      // ASCII is not looked at.
      ("a\tb", "a\tb"),
      // Right to left throughout, and with a letter that runs the other way.
      ("\u{5D0}\u{FB01}\u{5D0}", "\u{5D0}\u{FB01}\u{5D0}"), ("\u{5D0}1\u{5D0}", "\u{5D0}1\u{5D0}"),
      ("\u{FB21}", "\u{5D0}"),
    ])
  func rules(text: String, want: String) {
    #expect(prepare(text) == Array(want.utf8))
  }

  @Test("takes bytes that are not UTF-8 as they are")
  func invalid() {
    for bytes in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE9], [0x61, 0xEF, 0xBD]] as [[UInt8]]
    {
      #expect(SASLprep.prepare(bytes) == bytes)
    }
  }

  @Test("agrees with the reference about six hundred strings")
  func agrees() throws {
    let cases = try Self.samples().cases
    #expect(cases.count == 600)
    for sample in cases {
      let input = try #require(Hexadecimal.decode(Array(sample.input.utf8)))
      let want = try #require(Hexadecimal.decode(Array(sample.output.utf8)))
      #expect(SASLprep.prepare(input) == want, "\(sample.input)")
    }
  }

  @Test("agrees with the reference about every character")
  func everyCharacter() throws {
    let unassigned = ScalarRanges(SASLprepTables.unassigned)
    var output = String.UnicodeScalarView()
    for code in 0..<UInt32(0x30000) where !(0xE000...0xF8FF).contains(code) {
      guard let scalar = Unicode.Scalar(code), !unassigned.contains(scalar) else { continue }
      output.append(contentsOf: Normalization.nfkc([scalar]))
      output.append("\n")
    }
    let digest = try Digest.sha256(Array(String(output).utf8))
    #expect(Hexadecimal.encode(digest) == Array(try Self.samples().normalDigest.utf8))
  }
}
