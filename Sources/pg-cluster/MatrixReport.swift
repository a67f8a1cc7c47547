internal import PGCommandLine
internal import PGKit

/// How a command fared with each version, as a document that other systems read.
struct MatrixReport {
  /// One version's run.
  struct Entry {
    let version: String
    let ending: ProcessEnding
    let milliseconds: Int64
    /// The last that was said, if it failed.
    let words: String
  }

  /// More of what a run that failed has said is not kept.
  static let mostWords = 65_536

  private let path: String
  private let command: [String]
  private var entries: [Entry] = []

  /// Makes an empty report; its form follows from how the file's name ends.
  init(_ path: String, command: [String]) {
    self.path = path
    self.command = command
  }

  /// Whether the name of a file says what form a report is to have.
  static func knows(_ path: String) -> Bool { path.hasSuffix(".xml") || path.hasSuffix(".tap") }

  mutating func add(_ entry: Entry) { entries.append(entry) }

  /// Writes it.
  func write() throws {
    let file = try OutputFile(path, program: ClusterCommand.program)
    try file.output.write((path.hasSuffix(".tap") ? tap : junit) + "\n")
    try file.finish()
  }

  /// Source: Test Anything Protocol, version 14.
  private var tap: String {
    var lines = ["TAP version 14", "1..\(entries.count)"]
    for (index, entry) in entries.enumerated() {
      let verdict = entry.ending.isSuccess ? "ok" : "not ok"
      lines.append(
        "\(verdict) \(index + 1) - "
          + DiagnosticDocument.tapText("PostgreSQL \(entry.version)"))
      lines += ["  ---", "  duration_ms: \(entry.milliseconds)"]
      if !entry.ending.isSuccess {
        lines += ["  status: \(entry.ending.shellStatus)", "  message: '\(entry.ending)'"]
      }
      lines.append("  ...")
    }
    return lines.joined(separator: "\n")
  }

  private var junit: String {
    let xml = DiagnosticDocument.xml
    let name = xml(command.joined(separator: " "))
    let failures = entries.count { !$0.ending.isSuccess }
    let cases = entries.map { entry in
      let head =
        "  <testcase classname=\"\(name)\" name=\"PostgreSQL \(xml(entry.version))\" "
        + "time=\"\(Self.seconds(entry.milliseconds))\""
      if entry.ending.isSuccess { return head + "/>" }
      return head + ">\n    <failure message=\"\(xml("\(entry.ending)"))\">"
        + xml(entry.words) + "</failure>\n  </testcase>"
    }
    let total = Self.seconds(entries.reduce(0) { $0 + $1.milliseconds })
    let head =
      "<testsuite name=\"pg-cluster run\" tests=\"\(entries.count)\" failures=\"\(failures)\" "
      + "time=\"\(total)\">"
    return (["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", head] + cases + ["</testsuite>"])
      .joined(separator: "\n")
  }

  private static func seconds(_ milliseconds: Int64) -> String {
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
  }
}
