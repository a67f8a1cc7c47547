import Testing

@testable import PGKit

@Suite struct CommandLineOptionsTests {
  @Test("takes long and attached forms, and leaves operands")
  func forms() throws {
    let line = try CommandLineOptions.parse([
      "--host=h", "-p5433", "x", "--ssl-mode=verify-full", "-W", "-", "--", "-U", "y",
    ])
    #expect(line.options.hosts == ["h"] && line.options.ports == [5433])
    #expect(line.options.sslMode == .verifyFull && line.promptsForPassword)
    #expect(line.operands == ["x", "-", "-U", "y"])
  }

  @Test(
    "refuses what it does not know, without repeating values",
    arguments: [
      ["-x"], ["-U"], ["-s", "nope"], ["-s", "=x"], ["-p", "s3cret"], ["--password=s3cret"],
      ["-I", "pq://u:s3cr@et@h"], ["--bogus=s3cret"],
    ])
  func refuses(arguments: [String]) {
    let error = #expect(throws: PGError.self) { try CommandLineOptions.parse(arguments) }
    #expect(error?.report.contains("s3cr") == false)
  }

  @Test("applies from left to right")
  func order() throws {
    let late = try CommandLineOptions.parse(["-I", "pq://u:p@h/d?a=b", "-U", "late", "-s", "a=c"])
    #expect(late.options.user == "late" && late.options.password == "p")
    #expect(late.options.settings == [.init("a", "c")])
    let early = try CommandLineOptions.parse(["-U", "early", "-I", "pq://u@h"])
    #expect(early.options.user == "u")
  }
}
