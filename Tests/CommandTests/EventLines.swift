import Foundation
import Testing

/// What pg-listen prints, as objects and as a story.
enum EventLines {
  /// The lines as objects: each must be one.
  static func objects(_ output: String) throws -> [[String: Any]] {
    try output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// What happened, in order: payloads as they are, all else by its name.
  static func story(_ output: String) throws -> [String] {
    try objects(output).map {
      let event = $0["event"] as? String ?? "?"
      return event == "notify" ? $0["payload"] as? String ?? "?" : "[\(event)]"
    }
  }
}
