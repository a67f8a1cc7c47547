import Foundation
import PGErrorCodes
import Testing

@testable import PGKit

@Suite("AddressLookup")
struct AddressLookupTests {
  private func addresses(
    _ host: String, _ address: String? = nil, port: Int = 5432,
    until deadline: Deadline = .after(.seconds(30))
  ) throws(PGError) -> [SocketAddress] {
    try AddressLookup.addresses(
      of: .tcp(host: host, address: address, port: port), until: deadline)
  }

  @Test("numeric hosts need no lookup")
  func numeric() throws {
    #expect(try addresses("127.0.0.1").map(\.description) == ["127.0.0.1:5432"])
    #expect(try addresses("::1", port: 6543).map(\.description) == ["[::1]:6543"])
    // Not even a deadline that has passed matters.
    #expect(try addresses("127.0.0.1", until: .after(.seconds(-1))).count == 1)
  }

  @Test("a given address is used and the name is not looked up")
  func givenAddress() throws {
    let found = try addresses("no-such-host.invalid", "127.0.0.2")
    #expect(found.map(\.host) == ["127.0.0.2"])
    #expect(found.map(\.port) == [5432])
  }

  @Test("names are looked up, with and without a deadline")
  func name() throws {
    for deadline in [Deadline.never, .after(.seconds(30))] {
      let found = try addresses("localhost", until: deadline).compactMap(\.host)
      #expect(found.contains("127.0.0.1") || found.contains("::1"))
      #expect(Set(found).count == found.count)
    }
  }

  @Test("a path needs no lookup")
  func path() throws {
    let found = try AddressLookup.addresses(of: .unix(path: "/tmp/s"), until: .never)
    #expect(found.map(\.path) == ["/tmp/s"])
  }

  @Test("an unknown name is named", arguments: [true, false])
  func unknown(hasDeadline: Bool) {
    let error = #expect(throws: PGError.self) {
      try addresses("no-such-host.invalid", until: hasDeadline ? .after(.seconds(60)) : .never)
    }
    #expect(error?.code == .sqlclientUnableToEstablishSqlconnection)
    #expect(
      error?.message.hasPrefix("could not translate host name \"no-such-host.invalid\"") == true)
  }

  @Test("a lookup that takes too long is given up")
  func deadline() {
    let error = #expect(throws: PGError.self) {
      try addresses("no-such-host.invalid", until: .after(.seconds(-1)))
    }
    // A resolver may be as quick as the wait; both are answers, neither is a hang.
    #expect(
      error?.code == .connectTimeoutError
        || error?.code == .sqlclientUnableToEstablishSqlconnection)
  }

  @Test("impossible ports, addresses and names are the caller's fault")
  func impossible() {
    for port in [0, -1, 65_536, Int.max] {
      #expect(throws: PGError.option("")) { try addresses("127.0.0.1", port: port) }
    }
    #expect(throws: PGError.option("")) { try addresses("localhost", "localhost") }
    #expect(throws: PGError.option("")) { try addresses("local\0host") }
  }
}
