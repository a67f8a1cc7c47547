import Testing

@testable import PGCommandLine

@Suite struct DiagnosticLogTests {
  private func failure(_ message: String) -> Diagnostic {
    Diagnostic(program: "p", severity: .error, code: .divisionByZero, message: message)
  }

  @Test(
    "has room for failures, however much succeeded before",
    arguments: [
      (DiagnosticForm.junit, "failures=\"1\"", "<failure type=\"22012 division_by_zero\""),
      (.tap, "not ok 100001 - 22012", "10 more are not listed"),
    ])
  func room(_ form: DiagnosticForm, _ first: String, _ second: String) throws {
    let log = DiagnosticLog()
    log.setForm(form)
    for number in 0..<DiagnosticLog.limit + 10 { log.succeeded("s\(number)") }
    log.take(failure("the last"), .refused)
    let document = try #require(log.takeDocument(program: "p"))
    #expect(document.contains(first))
    #expect(document.contains(second))
    #expect(document.contains("10 more are not listed"))
    #expect(log.takeDocument(program: "p") == nil)
  }

  @Test("forgets what succeeded and is done again, but no message")
  func again() throws {
    let log = DiagnosticLog()
    log.setForm(.tap)
    log.succeeded("kept")
    let mark = log.mark
    log.succeeded("first")
    log.take(failure("m"), .refused)
    log.takeBackSuccesses(since: mark)
    log.succeeded("again")
    let document = try #require(log.takeDocument(program: "p"))
    #expect(
      document
        == "TAP version 14\nok 1 - kept\nnot ok 2 - 22012 division_by_zero: m\nok 3 - again\n1..3")
  }

  @Test("writes no character into XML that XML has not")
  func characters() throws {
    let log = DiagnosticLog()
    log.setForm(.junit)
    log.take(failure("x\u{FFFF}\u{FFFE}\u{1B}"), .refused)
    let document = try #require(log.takeDocument(program: "p"))
    #expect(document.contains("message=\"x\u{FFFD}\u{FFFD}\\x1b\""))
  }

  @Test("says the status that a shell will see of a process that a signal ends")
  func signal() {
    let log = DiagnosticLog()
    #expect(log.exitCode(for: .refused) == 3)
    log.willEnd(by: 15)
    #expect(log.exitCode(for: .refused) == 143)
  }

  @Test("shows no line of a text as a field of its own")
  func forged() {
    let diagnostic = Diagnostic(
      program: "p", message: "m\nHINT: rm", details: [("DETAIL", "d\nHINT: rm")])
    #expect(diagnostic.description == "p: m\n\tHINT: rm\nDETAIL: d\n\tHINT: rm")
  }
}
