// Messages as the documents that other systems read.

/// The documents of ``DiagnosticForm``.
package enum DiagnosticDocument {
  // MARK: GitLab

  /// A report of code quality: what has a file, at its line.
  ///
  /// Source: GitLab's manual, "Code Quality", "Report format".
  static func codeQuality(_ entries: [DiagnosticLog.Entry]) -> String {
    let issues = entries.compactMap { entry -> String? in
      guard case .message(let message, let status) = entry else { return nil }
      let path = message.place?.name ?? message.program
      let line = message.place?.line ?? 1
      let severity =
        message.isFailure(status) ? "major" : message.severity == .warning ? "minor" : "info"
      let check = message.title ?? message.program
      return """
        {"description":\(JSONText.quoted(message.body)),"check_name":\(JSONText.quoted(check)),\
        "fingerprint":"\(fingerprint("\(path):\(line):\(check):\(message.message)"))",\
        "severity":"\(severity)",\
        "location":{"path":\(JSONText.quoted(path)),"lines":{"begin":\(line)}}}
        """
    }
    return "[" + issues.joined(separator: ",\n") + "]"
  }

  /// The same for the same issue in every run (FNV-1a, 64 bits).
  private static func fingerprint(_ text: String) -> String {
    let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
    return String(hash, radix: 16)
  }

  // MARK: TAP

  /// A line for each success and failure; everything else is a comment.
  ///
  /// Source: Test Anything Protocol, version 14.
  static func tap(_ entries: [DiagnosticLog.Entry]) -> String {
    var lines = ["TAP version 14"]
    var count = 0
    for entry in entries {
      switch entry {
      case .success(let name):
        count += 1
        lines.append("ok \(count) - \(tapText(name))")
      case .message(let message, let status) where message.isFailure(status):
        count += 1
        let text = [message.title, message.message].compactMap { $0 }.joined(separator: ": ")
        let place = message.location.map { " (\($0))" } ?? ""
        lines.append("not ok \(count) - \(tapText(text + place))")
        lines += message.details.flatMap { comment("\($0.label): \($0.text)") }
      case .message(let message, _): lines += comment(message.description)
      }
    }
    return (lines + ["1..\(count)"]).joined(separator: "\n")
  }

  private static func comment(_ text: String) -> [String] {
    text.split(separator: "\n").map { "# " + Diagnostic.escapingControls(String($0)) }
  }

  /// A description on one line, in which nothing is a directive.
  package static func tapText(_ text: String) -> String {
    Diagnostic.escapingControls(
      text.replacing("\\", with: "\\\\").replacing("#", with: "\\#").replacing("\n", with: " "))
  }

  // MARK: JUnit

  /// A suite with a case for each success and failure; everything else is its standard error.
  static func junit(_ entries: [DiagnosticLog.Entry], program: String) -> String {
    var cases: [String] = []
    var failures = 0
    var remarks: [String] = []
    for entry in entries {
      switch entry {
      case .success(let name):
        cases.append("  <testcase classname=\"\(program)\" name=\"\(xml(name))\"/>")
      case .message(let message, let status) where message.isFailure(status):
        failures += 1
        cases.append(
          """
            <testcase classname="\(program)" name="\(xml(message.location ?? message.message))">
              <failure type="\(xml(message.title ?? "error"))" message="\(xml(message.message))">\
          \(xml(message.body))</failure>
            </testcase>
          """)
      case .message(let message, _): remarks.append(message.description)
      }
    }
    let rest =
      remarks.isEmpty
      ? [] : ["  <system-err>" + xml(remarks.joined(separator: "\n")) + "</system-err>"]
    let head =
      "<testsuite name=\"\(program)\" tests=\"\(cases.count)\" failures=\"\(failures)\">"
    return (["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", head] + cases + rest + ["</testsuite>"])
      .joined(separator: "\n")
  }

  /// Text of XML, in which control characters and U+FFFE and U+FFFF cannot stand.
  package static func xml(_ text: String) -> String {
    Diagnostic.escapingControls(
      text.replacing("\u{FFFE}", with: "\u{FFFD}").replacing("\u{FFFF}", with: "\u{FFFD}")
        .replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        .replacing(">", with: "&gt;").replacing("\"", with: "&quot;"))
  }
}
