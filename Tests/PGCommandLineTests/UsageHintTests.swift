import Testing

@testable import PGCommandLine

@Suite("UsageHint")
struct UsageHintTests {
  private static let verbs = ["run", "start", "stop", "status", "versions"]

  private func hint(_ message: String, _ arguments: String...) -> String? {
    UsageHint.text(for: message, ["pg-tool"] + arguments, verbs: Self.verbs)
  }

  @Test("a verb that is none leads to those that were meant")
  func verbs() {
    #expect(hint("Error: Unexpected argument 'stat'", "stat")?.contains("status") == true)
    #expect(hint("Error: Unexpected argument 'strat'", "strat")?.contains("start") == true)
    #expect(hint("Error: Unexpected argument 'zzzzzzz'", "zzzzzzz")?.contains("versions") == true)
    #expect(hint("Error: Unexpected argument 'b'", "start", "a", "b") == nil, "behind a verb")
    #expect(
      UsageHint.text(for: "Unexpected argument 'x'", ["pg-tool", "x"], verbs: []) == nil)
  }

  @Test("a value with a dash is told from one that is missing")
  func dashes() {
    let message = "Error: Missing value for '--wait <duration>'"
    let negative = hint(message, "run", "--wait", "-5s", "--", "true")
    #expect(negative?.contains("--wait=-5s") == true && negative?.contains("negative") == true)
    #expect(hint(message, "run", "--wait", "-x")?.contains("negative") == false)
    #expect(hint(message, "run", "--wait") == nil)
    #expect(hint(message, "run", "--wait", "--", "true") == nil)
  }

  @Test("an argument that is empty is named where another one is missing")
  func empty() {
    let message = "Error: Missing expected argument '<table|query>'"
    #expect(hint(message, "") == "argument 1 is empty; is a variable not set?")
    #expect(hint(message, "--to", "a", "")?.hasPrefix("argument 3") == true)
    #expect(hint(message, "a") == nil)
    #expect(hint("Error: Unexpected argument 'a'", "start", "", "a") == nil)
  }

  @Test("a duration's units are told where one is wrong")
  func durations() {
    let told = hint("Error: The value 'abc' is invalid for '--ttl <duration>'", "--ttl", "abc")
    #expect(told?.contains("ms, s, m, h or d") == true)
    #expect(told?.contains("hundred years") == true)
    #expect(hint("Error: The value 'abc' is invalid for '--count <count>'") == nil)
  }
}
