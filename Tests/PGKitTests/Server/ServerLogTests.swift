import Testing

@testable import PGKit

@Suite("ServerLog")
struct ServerLogTests {
  @Test("quotes the first fatal message with what belongs to it")
  func fatal() {
    let text = """
      2026-01-01 00:00:00.000 UTC [1] LOG:  starting PostgreSQL 15.18
      2026-01-01 00:00:00.000 UTC [1] FATAL:  lock file exists
      2026-01-01 00:00:00.000 UTC [1] HINT:  Is another postmaster running?
      \tand more
      2026-01-01 00:00:00.000 UTC [1] LOG:  database system is shut down
      """
    let lines = ServerLog.fault(in: text).split(separator: "\n")
    #expect(lines.count == 3)
    #expect(lines.first?.hasSuffix("FATAL:  lock file exists") == true)
    #expect(lines.last == "\tand more")
  }

  @Test("quotes what was said before the fatal message: there the reason may be")
  func reasons() {
    let before = (1...9).map { "LOG:  parameter \($0) is wrong\n" }.joined()
    let text = "LOG:  starting PostgreSQL 15.18\n" + before + "FATAL:  the file contains errors"
    let lines = ServerLog.fault(in: text).split(separator: "\n")
    #expect(lines.first == "LOG:  parameter 6 is wrong")
    #expect(lines.last == "FATAL:  the file contains errors")
    #expect(ServerLog.fault(in: "LOG:  starting PostgreSQL 15.18\nFATAL:  x") == "FATAL:  x")
  }

  @Test("quotes the last lines where no message is fatal, and no more than a few")
  func last() {
    let text = (1...50).map { "LOG:  \($0)" }.joined(separator: "\n")
    let lines = ServerLog.fault(in: text).split(separator: "\n")
    #expect(lines.count < 10)
    #expect(lines.last == "LOG:  50")
    #expect(ServerLog.fault(in: "") == "")
    let endless = "FATAL:  x\n" + String(repeating: "\tmore\n", count: 1000)
    #expect(ServerLog.fault(in: endless).split(separator: "\n").count < 10)
  }
}
