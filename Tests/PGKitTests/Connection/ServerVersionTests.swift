import Foundation
import Testing

@testable import PGKit

@Suite struct ServerVersionTests {
  private func describe(_ parts: [Any?]) -> String {
    RecordedCase.describe(parts.map { $0 ?? NSNull() } as [Any])
  }

  @Test("reads versions as py-postgresql does, or as it should")
  func vectors() throws {
    // Four and five numbers are no version; a distribution's words behind one are not part of it.
    let wanted = [
      "split 8.0.1.2": "[8, 0, 1, null, null]", "normalize 8.0.1.2": "[8, 0, 1, final, 0]",
      "unsplit 8.0.1.2": "8.0.1", "split 1.2.3.4.5": "[1, 2, 3, null, null]",
      "normalize 1.2.3.4.5": "[1, 2, 3, final, 0]", "unsplit 1.2.3.4.5": "1.2.3",
      "unsplit 12.4 (Debian 12.4-1.pgdg100+1)": "12.4",
      "normalize 15.1 (Ubuntu 15.1-1)": "[15, 1, 0, final, 0]",
      "unsplit 15.1 (Ubuntu 15.1-1)": "15.1",
      "normalize 14.2 (Ubuntu 14.2-1.pgdg20.04+1)": "[14, 2, 0, final, 0]",
    ]
    var count = 0
    for vector in try RecordedCase.all("versionstring") {
      let result: String
      switch vector.op {
      case "split":
        let parts = VersionParts(try vector.text)
        result = describe([parts.major, parts.minor, parts.patch, parts.state, parts.level])
      case "normalize":
        let version = ServerVersion(VersionParts(try vector.text))
        result = describe(
          [version.major, version.minor, version.patch, version.state, version.level])
      case "unsplit": result = VersionParts(try vector.text).description
      case "state_class_priority":
        result = describe(ServerVersion.states as [Any?] + [nil])
      default:
        // The outputs of its command, of which PGKit has none.
        #expect(vector.op.hasPrefix("format_"))
        continue
      }
      count += 1
      #expect(
        result == wanted[vector.name] ?? RecordedCase.describe(vector.expected), "\(vector.name)")
    }
    #expect(count == 54)
  }

  @Test("orders by age")
  func order() {
    let texts = [
      "9.6.24", "10", "16devel", "16alpha1", "16beta1", "16beta2", "16rc1", "16", "16.1",
    ]
    let versions = texts.compactMap { ServerVersion($0) }
    #expect(versions.count == texts.count)
    #expect(versions == versions.shuffled().sorted())
  }

  @Test(
    "shows what it has read",
    arguments: ["15.18", "9.6.24", "18beta2", "19devel", "17rc1", "10.0"])
  func shows(text: String) {
    #expect(ServerVersion(text)?.description == text)
  }

  @Test(
    "takes no version from other text", arguments: ["", "devel", "x15", "99999999999999999999"])
  func noVersion(text: String) { #expect(ServerVersion(text) == nil) }
}
