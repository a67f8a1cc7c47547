import Foundation
import Glibc
import Testing

/// The manual pages that are installed say what `--help` says.
@Suite("Manual pages") struct ManualPageTests {
  private static let root = URL(filePath: #filePath).appending(path: "../../..").standardized.path

  /// So that no paragraph is broken into lines.
  private static let wide = [
    "COLUMNS": "100000", "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin",
  ]

  private func page(_ tool: ContractTool) throws -> String {
    let outcome = try BuiltProgram(absolute: "/usr/bin/env").run([
      "bash", Self.root + "/scripts/manual-page", tool.program.path,
    ])
    #expect(outcome.end == .exit(0) && outcome.errors == "", "\(outcome)")
    return outcome.output
  }

  /// The help of a program, and those of all its verbs.
  private func helps(_ tool: ContractTool, _ verbs: [String] = []) throws -> [String] {
    let text = try tool.program.run(verbs + ["--help"], environment: Self.wide).output
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).drop {
      $0 != "SUBCOMMANDS:"
    }
    lines = lines.prefix { !$0.isEmpty }
    var names = lines.compactMap { $0.wholeMatch(of: #/  ([a-z]+)( .*)?/#).map { String($0.1) } }
    if tool == .listen, verbs.isEmpty { names.append("durable") }
    return try [text] + names.flatMap { try helps(tool, verbs + [$0]) }
  }

  // MARK: Paragraphs, in which an option and its text are one

  private func paragraphs(ofHelp text: String) -> [String] {
    var found: [String] = []
    for line in text.split(separator: "\n") {
      if line.wholeMatch(of: /[A-Z][A-Z ]*:/) != nil || line.hasPrefix("  See '") { continue }
      if line.hasPrefix("      "), !found.isEmpty {
        found[found.count - 1] += " " + line
        continue
      }
      for label in ["OVERVIEW: ", "USAGE: ", ""] where line.hasPrefix(label) {
        found.append(String(line.dropFirst(label.count)))
        break
      }
    }
    return found.map(collapsed)
  }

  private func paragraphs(ofPage text: String, _ name: String) -> (
    texts: [String], labels: [String]
  ) {
    var found: [String] = [""]
    var labels: [String] = []
    for line in text.split(separator: "\n") {
      let shown = line.replacing("\\-", with: "-").replacing("\\(aq", with: "'").replacing(
        "\\&", with: ""
      ).replacing("\\e", with: "\\")
      switch line.prefix(while: { $0 != " " }) {
      case ".TP", ".PP", ".nf", ".fi", ".SH", ".SS", ".TH", ".ad", ".nh": found.append("")
      case ".B":
        labels.append(String(shown.dropFirst(3)))
        found[found.count - 1] += " " + shown.dropFirst(3)
      default: found[found.count - 1] += " " + shown
      }
    }
    let titles = found.map(collapsed).map {
      $0.hasPrefix(name + " - ") ? String($0.dropFirst(name.count + 3)) : $0
    }
    return (titles.filter { !$0.isEmpty && $0.wholeMatch(of: /[A-Z][A-Z ]*:/) == nil }, labels)
  }

  private func collapsed(_ text: String) -> String {
    text.split { $0 == " " }.joined(separator: " ")
  }

  @Test(
    "a manual page says what --help says, no less and no more", arguments: ContractTool.allCases)
  func difference(tool: ContractTool) throws {
    let help = Set(try helps(tool).flatMap(paragraphs(ofHelp:)))
    let page = Set(paragraphs(ofPage: try page(tool), tool.rawValue).texts)
    #expect(help.count > 20)
    #expect(help.subtracting(page).sorted() == [])
    #expect(page.subtracting(help).sorted() == [])
  }

  @Test("every option that is defined is in the manual page", arguments: ContractTool.allCases)
  func options(tool: ContractTool) throws {
    let labels = paragraphs(ofPage: try page(tool), tool.rawValue).labels
    let text = try tool.program.run(["--experimental-dump-help"]).output
    let dump = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    var names: Set<String> = []
    func gather(_ command: [String: Any]) {
      for argument in command["arguments"] as? [[String: Any]] ?? []
      where argument["shouldDisplay"] as? Bool == true {
        for name in argument["names"] as? [[String: String]] ?? [] {
          names.insert((name["kind"] == "short" ? "-" : "--") + (name["name"] ?? ""))
        }
      }
      for verb in command["subcommands"] as? [[String: Any]] ?? []
      where verb["shouldDisplay"] as? Bool == true {
        gather(verb)
      }
    }
    gather(try #require(dump["command"] as? [String: Any]))
    let documented = Set(labels.flatMap { $0.split { ", /".contains($0) }.map(String.init) })
    #expect(names.count > 3)
    #expect(names.subtracting(documented).sorted() == [])
  }

  @Test("a manual page is without faults for the formatter", arguments: ContractTool.allCases)
  func formatting(tool: ContractTool) throws {
    let groff = "/usr/bin/groff"
    guard access(groff, X_OK) == 0 else {
      print("manual pages are not formatted: there is no \(groff)")
      return
    }
    let page = try page(tool)
    let outcome = try BuiltProgram(absolute: groff).run(
      ["-man", "-ww", "-Tutf8", "-Kutf8", "-z"], input: .text(page))
    #expect(outcome.end == .exit(0) && outcome.errors == "", "\(outcome)")
  }
}
