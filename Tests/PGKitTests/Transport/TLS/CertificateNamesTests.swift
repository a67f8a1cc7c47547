import PGErrorCodes
import Testing

@testable import PGKit

@Suite("CertificateNames")
struct CertificateNamesTests {
  /// One case: alternative names (`IP:` in front of addresses), common name, host, verdict.
  struct Case: Sendable, CustomTestStringConvertible {
    let alternatives: [String]
    let commonName: String?
    let host: String
    let matches: Bool
    init(_ alternatives: [String], _ commonName: String?, _ host: String, _ matches: Bool) {
      (self.alternatives, self.commonName) = (alternatives, commonName)
      (self.host, self.matches) = (host, matches)
    }
    var testDescription: String { "\(alternatives) \(commonName ?? "-") \(host)" }
    var names: CertificateNames {
      CertificateNames(
        alternatives: alternatives.map { text in
          text.hasPrefix("IP:")
            ? .address(NumericAddress.parse(String(text.dropFirst(3))) ?? [])
            : .dns(Array(text.utf8))
        },
        commonName: commonName.map { Array($0.utf8) })
    }
  }

  static let cases: [Case] = [
    // Names
    Case(["db.example.com"], nil, "db.example.com", true),
    Case(["DB.example.COM"], nil, "db.EXAMPLE.com", true),
    Case(["db.example.com"], nil, "db.example.co", false),
    Case(["db.example.com"], nil, "xdb.example.com", false),
    Case(["a", "b", "c"], nil, "c", true),
    Case(["db.example.com"], nil, "db.example.com.", true),
    Case(["db.example.com."], nil, "db.example.com", false),
    Case([""], nil, ".", false),
    Case(["K.example.com"], nil, "\u{212a}.example.com", false),
    Case(["xn--bcher-kva.example"], nil, "xn--bcher-kva.example", true),
    Case(["xn--bcher-kva.example"], nil, "bücher.example", false),
    // Wildcards
    Case(["*.example.com"], nil, "a.example.com", true),
    Case(["*.EXAMPLE.com"], nil, "A.example.COM", true),
    Case(["*.example.com"], nil, "a.example.com.", true),
    Case(["*.example.com"], nil, "example.com", false),
    Case(["*.example.com"], nil, ".example.com", false),
    Case(["*.example.com"], nil, "a.b.example.com", false),
    Case(["*.example.com"], nil, "aexample.com", false),
    Case(["a.*.com"], nil, "a.b.com", false),
    Case(["f*.example.com"], nil, "foo.example.com", false),
    Case(["*o.example.com"], nil, "foo.example.com", false),
    Case(["f*o"], nil, "foo", false),
    Case(["*"], nil, "a", false),
    Case(["*."], nil, "a.", false),
    Case(["*.*.com"], nil, "a.b.com", false),
    Case(["**.com"], nil, "a.com", false),
    Case(["*.0.2.1"], nil, "192.0.2.1", false),
    // Addresses
    Case(["IP:192.0.2.1"], nil, "192.0.2.1", true),
    Case(["IP:192.0.2.1"], nil, "192.0.2.2", false),
    Case(["IP:2001:db8::1"], nil, "2001:DB8:0::0:1", true),
    Case(["IP:2001:db8::1"], nil, "2001:db8::2", false),
    Case(["IP:192.0.2.1"], nil, "::ffff:192.0.2.1", false),
    Case(["192.0.2.1"], nil, "192.0.2.1", true),
    Case(["IP:192.0.2.1"], nil, "db.example.com", false),
    // Common name
    Case([], "db.example.com", "db.example.com", true),
    Case([], "*.example.com", "db.example.com", true),
    Case([], "192.0.2.1", "192.0.2.1", true),
    Case(["other"], "db.example.com", "db.example.com", false),
    Case(["IP:192.0.2.9"], "db.example.com", "db.example.com", true),
    Case(["IP:192.0.2.9"], "192.0.2.1", "192.0.2.1", false),
    Case(["db.example.com"], "192.0.2.1", "192.0.2.1", true),
    Case([], nil, "db.example.com", false),
  ]

  @Test("matches hosts by libpq's rules", arguments: cases)
  func matches(test: Case) throws {
    if test.matches {
      try test.names.verify(host: test.host)
    } else {
      #expect(throws: PGError.insecure("")) { try test.names.verify(host: test.host) }
    }
  }

  @Test("a name with an embedded NUL byte is refused, not cut")
  func embeddedNUL() {
    let evil = Array("db.example.com\0.evil.org".utf8)
    for names in [
      CertificateNames(alternatives: [.dns(evil)]), CertificateNames(commonName: evil),
    ] {
      let error = #expect(throws: PGError.self) { try names.verify(host: "db.example.com") }
      #expect(error?.message.contains("NUL") == true)
    }
  }

  @Test("an address of the wrong size matches nothing")
  func wrongSize() {
    let names = CertificateNames(alternatives: [.address([]), .address([127, 0, 0])])
    #expect(throws: PGError.insecure("")) { try names.verify(host: "127.0.0.1") }
    #expect(throws: PGError.insecure("")) { try names.verify(host: "localhost") }
  }

  @Test("an empty host is an error whatever the certificate says")
  func emptyHost() {
    let names = CertificateNames(alternatives: [.dns([])], commonName: [])
    #expect(throws: PGError.option("")) { try names.verify(host: "") }
  }

  @Test("a mismatch names the certificate's first name, the others' number, and the host")
  func mismatch() {
    func message(_ test: Case) -> String? {
      #expect(throws: PGError.self) { try test.names.verify(host: test.host) }?.message
    }
    #expect(
      message(Case(["a", "b", "c"], "d", "x", false))
        == "server certificate for \"a\" (and 2 other names) does not match host name \"x\"")
    #expect(
      message(Case([], "d", "x", false))
        == "server certificate for \"d\" does not match host name \"x\"")
    #expect(
      message(Case([], nil, "x", false))
        == "the server certificate has no name that could match host name \"x\"")
  }

  @Test("a certificate cannot write to the terminal through a message")
  func printable() {
    let names = CertificateNames(alternatives: [.dns([0x1b, 0x5b, 0x32, 0x4a, 0xff])])
    let error = #expect(throws: PGError.self) { try names.verify(host: "x") }
    #expect(error?.message.contains("\"\\x1b[2J\\xff\"") == true)
  }
}
