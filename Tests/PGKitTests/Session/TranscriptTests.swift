import Testing

@testable import PGKit

@Suite("Transcripts") struct TranscriptTests {
  @Test("plays whole, byte by byte and split everywhere", arguments: Transcript.all)
  func plays(transcript: Transcript) {
    for fragmentation in Fragmentation.all(of: transcript.byteCount) {
      do { try TranscriptPlayer.play(transcript, fragmentation) } catch {
        Issue.record("\(transcript), \(fragmentation): \(error)")
        return
      }
    }
  }

  @Test("there is a transcript for each thing that a session can do")
  func isComplete() {
    let names = Set(Transcript.all.map { $0.description.replacing(".transcript", with: "") })
    let wanted: Set = [
      "startup-trust", "startup-cleartext", "startup-md5", "startup-scram",
      "startup-negotiated-down", "startup-long-key", "startup-fatal", "startup-too-old", "prepare",
      "prepare-error", "describe", "run", "run-error-in-rows", "run-empty", "run-copy-out",
      "one-shot", "script", "script-unasked-copies", "copy-out", "copy-in", "copy-in-fail",
      "copy-in-error", "close", "idle-notifications", "idle-fatal", "busy-fatal", "early-ready",
    ]
    #expect(wanted.subtracting(names).isEmpty, "missing")
  }

  @Test("a transcript that does not fit is noticed")
  func notices() throws {
    let good = try Transcript(
      "good",
      "> startup 3.0 user=a\nF StartupMessage 3 0 \"user\" \"a\"\nB AuthenticationOk\n"
        + "B ReadyForQuery I\n= version 3.0\n= no key\n= finished I\n")
    try TranscriptPlayer.play(good, .byteByByte)
    for (line, other) in [
      ("\"a\"", "\"b\""), ("= no key\n", ""), ("ForQuery I", "ForQuery T"), ("3.0\n=", "3.2\n="),
    ] {
      let bad = try Transcript(
        "bad", good.source.replacing(line, with: other, maxReplacements: 1))
      #expect(throws: TranscriptPlayer.Mismatch.self) { try TranscriptPlayer.play(bad, .whole) }
    }
  }
}
