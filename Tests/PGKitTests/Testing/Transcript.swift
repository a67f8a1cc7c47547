import Foundation

@testable import PGKit

/// A recorded conversation: what the client is told to do, what it must send, what the server sends,
/// and what the client must make of it, in exact order.
///
/// Each line begins with a letter:
///
///     # why this conversation is interesting
///     > prepare "s1" "SELECT $1" 23        what the client does next
///     F Parse "s1" "SELECT $1" 1 23        what it must send, in the trace format without length
///     B ParseComplete                      what the server sends
///     = finished I                         what comes of it
struct Transcript: CustomStringConvertible, Sendable {
  enum Step: Sendable {
    case does([Word])
    case sends(String)
    case receives(String, [UInt8])
    case gives(String)
  }

  struct Line: Sendable {
    let number: Int
    let step: Step
  }

  let description: String
  let lines: [Line]
  let source: String

  /// The transcripts in the folder `Session/Transcripts`, by name.
  static let all: [Transcript] = {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Session/Transcripts")
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return files.filter { $0.hasSuffix(".transcript") }.sorted().map { name in
      do {
        let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
        return try Transcript(name, text)
      } catch { fatalError("\(name): \(error)") }
    }
  }()

  init(_ name: String, _ text: String) throws {
    description = name
    source = text
    let rows = text.split(separator: "\n", omittingEmptySubsequences: false)
    lines = try rows.enumerated().compactMap { index, row in
      try Self.step(row).map { Line(number: index + 1, step: $0) }
    }
  }

  /// How many bytes the server sends.
  var byteCount: Int {
    lines.reduce(0) { count, line in
      if case .receives(_, let bytes) = line.step { count + bytes.count } else { count }
    }
  }

  private static func step(_ row: Substring) throws -> Step? {
    let rest = String(row.dropFirst(2))
    switch row.first {
    case nil, "#": return nil
    case ">": return .does(try Word.split(rest))
    case "F": return .sends(rest)
    case "B": return .receives(rest, try BackendEncoder.encode(rest))
    case "=": return .gives(rest)
    default: throw BackendEncoder.Malformed(description: "what is this line? \(row)")
    }
  }
}
