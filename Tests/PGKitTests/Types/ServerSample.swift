import Foundation
import Testing

@testable import PGKit

/// One line of Vectors/server-samples.tsv: what a real server prints for a value, in both formats.
struct ServerSample: CustomStringConvertible {
  let isForWriting: Bool
  let typeName: String
  let text: String
  let binary: [UInt8]

  var description: String { "\(typeName) \(text.prefix(60))" }

  static let all: [ServerSample] = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Vectors/server-samples.tsv")
    guard let lines = try? String(contentsOf: file, encoding: .utf8) else { return [] }
    return lines.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap(Self.init(line:))
  }()

  private init?(line: Substring) {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
    guard fields.count == 4, let binary = Hexadecimal.decode(fields[3].utf8) else { return nil }
    isForWriting = fields[0] == "both"
    typeName = String(fields[1])
    text = Self.unescape(fields[2])
    self.binary = binary
  }

  private static func unescape(_ text: Substring) -> String {
    var result = ""
    var escaped = false
    for character in text {
      if escaped {
        result.append(character == "t" ? "\t" : character == "n" ? "\n" : character)
        escaped = false
      } else if character == "\\" {
        escaped = true
      } else {
        result.append(character)
      }
    }
    return result
  }
}
