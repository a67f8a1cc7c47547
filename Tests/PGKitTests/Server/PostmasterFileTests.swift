import PGKit
import Testing

@Suite("PostmasterFile")
struct PostmasterFileTests {
  private static let whole = """
    4711
    /var/lib/data
    1700000000
    5433
    /run/sockets
    localhost
      5432001    131072
    ready   

    """

  @Test("reads every line of a running server's file")
  func readsWhole() throws {
    let file = try #require(PostmasterFile(parsing: Self.whole))
    #expect(file.processID == 4711)
    #expect(file.dataDirectory == "/var/lib/data")
    #expect(file.startTime == 1_700_000_000)
    #expect(file.port == 5433)
    #expect(file.socketDirectory == "/run/sockets")
    #expect(file.listenAddress == "localhost")
    #expect(file.sharedMemory?.key == 5_432_001)
    #expect(file.sharedMemory?.identifier == 131_072)
    #expect(file.state == .ready)
  }

  @Test("knows no more than a file cut off anywhere says")
  func cutOff() {
    for length in 0..<Self.whole.count {
      guard let file = PostmasterFile(parsing: String(Self.whole.prefix(length))) else { continue }
      #expect(file.processID == 4711)
      #expect(file.port == nil || "5433".hasPrefix(String(file.port ?? 0)))
      #expect(file.state == nil || file.state == .ready)
    }
    #expect(PostmasterFile(parsing: "47") == nil, "the number may be only half written")
  }

  @Test(
    "refuses what is no process number",
    arguments: ["", "\n", "zero\n", "0\n", "99999999999\n", "-2147483648\n", "\u{0}\n"])
  func refuses(text: String) {
    #expect(PostmasterFile(parsing: text) == nil)
  }

  @Test("passes over lines that cannot be true")
  func oddLines() throws {
    let file = try #require(
      PostmasterFile(parsing: "1\n\nnever\n70000\n\n\nx y z\nsleeping\nmore\n"))
    #expect(file.dataDirectory == nil)
    #expect(file.startTime == nil)
    #expect(file.port == nil)
    #expect(file.sharedMemory == nil)
    #expect(file.state == nil)
  }
}
