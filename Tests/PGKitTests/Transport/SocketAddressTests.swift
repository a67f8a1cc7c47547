import PGErrorCodes
import Testing

@testable import PGKit

@Suite("SocketAddress")
struct SocketAddressTests {
  @Test("keeps a path")
  func path() throws {
    let address = try SocketAddress(unixPath: "/run/postgresql/.s.PGSQL.5432")
    #expect(address.isUnix)
    #expect(address.path == "/run/postgresql/.s.PGSQL.5432")
    #expect("\(address)" == "/run/postgresql/.s.PGSQL.5432")
    #expect(address.host == nil && address.port == nil)
  }

  @Test("a name after @ is in the abstract namespace")
  func abstract() throws {
    #expect(try SocketAddress(unixPath: "@postgres").path == "@postgres")
    #expect(throws: PGError.self) { try SocketAddress(unixPath: "@") }
  }

  @Test("takes a path as long as the system allows, and not one byte more")
  func limit() throws {
    let limit = SocketAddress.pathCapacity - 1
    let longest = "/" + String(repeating: "x", count: limit - 1)
    #expect(try SocketAddress(unixPath: longest).path == longest)
    let error = #expect(throws: PGError.self) { try SocketAddress(unixPath: longest + "x") }
    #expect(error?.code == .clientParameterError)
    #expect(error?.message.contains("\(limit + 1) bytes, at most \(limit)") == true)
    let name = "@" + String(repeating: "x", count: limit)
    #expect(try SocketAddress(unixPath: name).path == name)
    #expect(throws: PGError.self) { try SocketAddress(unixPath: name + "x") }
  }

  @Test("refuses an empty path and one with a NUL byte")
  func impossible() {
    #expect(throws: PGError.self) { try SocketAddress(unixPath: "") }
    #expect(throws: PGError.self) { try SocketAddress(unixPath: "/tmp/a\0b") }
    #expect(throws: PGError.self) { try SocketAddress(unixPath: "@a\0b") }
  }

  @Test("reads and writes numeric addresses")
  func numeric() {
    #expect(NumericAddress.parse("192.0.2.1") == [192, 0, 2, 1])
    #expect(NumericAddress.parse("::1") == [UInt8](repeating: 0, count: 15) + [1])
    for text in ["", "192.0.2", "192.0.2.256", "db", "::1%lo", "1.2.3.4\0"] {
      #expect(NumericAddress.parse(text) == nil, "\(text)")
    }
    #expect(NumericAddress.format([10, 0, 0, 7]) == "10.0.0.7")
    #expect(NumericAddress.format([UInt8](repeating: 0, count: 15) + [1]) == "::1")
    #expect(NumericAddress.format([1, 2, 3]) == nil)
  }
}
