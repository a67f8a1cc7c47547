import Foundation
import PGErrorCodes
import Testing

@testable import PGKit

@Suite("TLSTrust")
final class TLSTrustTests {
  /// The place of files that may be named.
  private let home = NSTemporaryDirectory() + "trust-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: home) }

  private func put(_ name: String) throws -> String {
    try "x".write(toFile: "\(home)/\(name)", atomically: true, encoding: .utf8)
    return "\(home)/\(name)"
  }

  private func options(
    _ mode: SSLMode?, root: String? = nil, list: String? = nil, listDirectory: String? = nil
  ) -> ConnectionOptions {
    var options = ConnectionOptions()
    options.sslMode = mode
    options.sslRootCertificate = root
    options.sslRevocationList = list
    options.sslRevocationDirectory = listDirectory
    return options
  }

  private func trust(_ options: ConnectionOptions) throws(PGError) -> TLSTrust {
    try TLSTrust(options)
  }

  @Test("without a word about it the mode is prefer, with system roots verify-full")
  func defaultMode() throws {
    #expect(try trust(options(nil)).mode == .prefer)
    #expect(try trust(options(nil, root: "system")).mode == .verifyFull)
    #expect(try trust(options(nil, root: "system")).roots == .system)
  }

  @Test("system roots are for verify-full only", arguments: SSLMode.allCases)
  func weakMode(mode: SSLMode) throws {
    if mode == .verifyFull {
      #expect(try trust(options(mode, root: "system")).roots == .system)
    } else {
      let error = #expect(throws: PGError.self) { try trust(options(mode, root: "system")) }
      #expect(error?.code == .clientParameterError)
      #expect(error?.message.contains("weak sslmode \"\(mode.rawValue)\"") == true)
    }
  }

  @Test(
    "verify-ca and verify-full want a root certificate and say how to name one",
    arguments: [SSLMode.verifyCA, .verifyFull])
  func missingRoot(mode: SSLMode) throws {
    let error = #expect(throws: PGError.self) { try trust(options(mode)) }
    #expect(error?.code == .clientParameterError)
    #expect(error?.message == "sslmode=\(mode.rawValue) needs a root certificate file")
    #expect(error?.hint?.contains("sslrootcert=system") == true)
    let root = try put("root.crt")
    #expect(try trust(options(mode, root: root)).roots == .file(root))
  }

  @Test("require checks when there is a root certificate, and not otherwise")
  func require() throws {
    #expect(try trust(options(.require)).roots == .unchecked)
    let root = try put("root.crt")
    #expect(try trust(options(.require, root: root)).roots == .file(root))
  }

  @Test("disable, allow and prefer check nothing", arguments: [SSLMode.disable, .allow, .prefer])
  func unchecked(mode: SSLMode) throws {
    let root = try put("root.crt")
    for root in [root, "\(home)/none"] {
      #expect(try trust(options(mode, root: root)).roots == .unchecked)
    }
  }

  @Test("a root certificate that was named must be there")
  func namedRoot() throws {
    for mode in [SSLMode.require, .verifyCA, .verifyFull] {
      let error = #expect(throws: PGError.self) { try trust(options(mode, root: "\(home)/none")) }
      #expect(error?.message == "root certificate file \"\(home)/none\" does not exist")
      #expect(throws: PGError.option("")) { try trust(options(mode, root: home)) }
    }
  }

  @Test("revocation lists must be there when named")
  func revocations() throws {
    let root = try put("root.crt")
    #expect(try trust(options(.verifyCA, root: root)).revocationFile == nil)
    #expect(try trust(options(.verifyCA, root: root, list: root)).revocationFile == root)
    let byDirectory = try trust(options(.verifyCA, root: root, listDirectory: home))
    #expect(byDirectory.revocationDirectory == home && byDirectory.revocationFile == nil)
    for (list, directory) in [("\(home)/none", nil), (nil, "\(home)/none"), (nil, root)] {
      #expect(throws: PGError.option("")) {
        try trust(options(.verifyCA, root: root, list: list, listDirectory: directory))
      }
    }
  }

  @Test("a revocation list that could not be checked is refused")
  func uncheckable() throws {
    let list = try put("some.crl")
    let error = #expect(throws: PGError.self) { try trust(options(.require, list: list)) }
    #expect(error?.message.contains("cannot be checked without a root certificate") == true)
  }
}
