/// What a server wrote to its log since a certain moment.
struct ServerLog: Sendable {
  let path: String
  /// Where the log ended when the value was made.
  let start: Int64

  /// So many lines are quoted in an error at most.
  private static let quotedLines = 6
  /// And so many of what was said before the first fatal message, which is often the reason.
  private static let precedingLines = 4
  private static let readLimit = 256 * 1024

  /// Notes where the log ends now.
  init(_ path: String) {
    self.path = path
    start = (try? FileStatus(of: path))?.size ?? 0
  }

  /// The first fatal message with what belongs to it and what was said before it, else the last lines;
  /// empty if there are none.
  var fault: String {
    let text = (try? OpenFile.text(of: path, from: start, limit: Self.readLimit)) ?? ""
    return Self.fault(in: text)
  }

  /// The last lines, at most so many, without control characters.
  func tail(_ count: Int) -> [String] {
    let end = (try? FileStatus(of: path))?.size ?? 0
    let from = max(start, end - Int64(Self.readLimit))
    let text = (try? OpenFile.text(of: path, from: from, limit: Self.readLimit)) ?? ""
    return text.split(separator: "\n").suffix(max(0, count)).map { Self.plain($0) }
  }

  /// A text without control characters.
  static func plain(_ line: Substring) -> String {
    var result = ""
    for scalar in line.unicodeScalars {
      let isControl = scalar.properties.generalCategory == .control && scalar != "\t"
      result.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
    }
    return result
  }

  static func fault(in text: String) -> String {
    let lines = text.split(separator: "\n").map { line in line.filter { $0 != "\r" } }
    guard let first = lines.firstIndex(where: isFatal) else {
      return lines.suffix(Self.quotedLines).joined(separator: "\n")
    }
    let rest = lines[(first + 1)...].prefix { isFatal($0) || isContinuation($0) }
    let reasons = lines[..<first].filter { line in !Self.usual.contains { line.contains($0) } }
    return (reasons.suffix(Self.precedingLines) + [lines[first]] + rest.prefix(Self.quotedLines))
      .joined(separator: "\n")
  }

  /// What every server says that starts.
  private static let usual = [
    "LOG:  starting PostgreSQL ", "LOG:  listening on ", "LOG:  database system was ",
  ]

  private static func isFatal(_ line: String) -> Bool {
    line.contains("FATAL:  ") || line.contains("PANIC:  ")
  }

  private static func isContinuation(_ line: String) -> Bool {
    line.hasPrefix("\t") || line.contains("DETAIL:  ") || line.contains("HINT:  ")
  }
}
