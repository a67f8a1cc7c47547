import Testing

@testable import PGKit

@Suite("SocketDirectory")
struct SocketDirectoryTests {
  @Test("accepts a path up to the last byte that a socket's address has, and says so beyond")
  func length() throws {
    let longest = SocketDirectory.longestPath - "/.s.PGSQL.65535".utf8.count
    let fitting = "/" + String(repeating: "x", count: longest - 1)
    try SocketDirectory.checkLength(fitting)
    let error = #expect(throws: PGError.self) { try SocketDirectory.checkLength(fitting + "x") }
    #expect(error?.message.contains("\(longest)") == true)
    // Bytes count, not characters.
    let wide = "/" + String(repeating: "é", count: longest / 2)
    #expect(throws: PGError.self) { try SocketDirectory.checkLength(wide + "x") }
  }
}
