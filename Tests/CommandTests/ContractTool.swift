import Foundation
import PGKit
import PGTestCluster
import Testing

/// One of the five programs, with work that it can do anywhere.
///
/// What all of them promise is tried on all of them, in the suites `ToolContract…Tests`; `Tests/CONTRACT.md`
/// says which test holds which promise.
enum ContractTool: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case open = "pg-open"
  case copy = "pg-copy"
  case cluster = "pg-cluster"
  case errorCode = "pg-errcode"
  case listen = "pg-listen"

  var testDescription: String { rawValue }
  var program: BuiltProgram { BuiltProgram(rawValue) }

  /// Those that talk to a server all the time.
  static let talkers: [ContractTool] = [.open, .copy, .listen]

  /// A command line that prints something and ends with 0.
  func work(_ iri: String? = nil) throws -> [String] {
    let server = try TestServer.shared.get()
    let iri = iri ?? server.iri()
    return switch self {
    case .open: [iri, "--format", "tsv", "SELECT 'İıIi', 42, 1.5, now() - now()"]
    case .copy: [iri, "SELECT 'İıIi', 42", "--to", "-", "--quiet"]
    case .cluster: ["status", server.cluster.directory]
    case .errorCode: ["23505", "INVALID_PASSWORD"]
    case .listen: [iri, "contract", "--drain", "--quiet", "--on-ready-sql", "SELECT 'İıIi', 42"]
    }
  }

  /// A command line that says on stderr what is wrong, and the status that it ends with.
  func mistake() throws -> (arguments: [String], status: Int32) {
    let iri = try TestServer.shared.get().iri()
    return switch self {
    case .open: ([iri, "SELECT nothing_like_that"], 3)
    case .copy: ([iri, "nothing_like_that", "--to", "-"], 3)
    case .cluster: (["url", "/nonexistent/cluster"], 1)
    case .errorCode: (["ZZ999"], 6)
    case .listen: ([iri, "contract", "--quiet", "--on-ready-sql", "SELECT nothing_like_that"], 3)
    }
  }

  /// Runs the program from a shell.
  ///
  /// - Parameters:
  ///   - prelude: Words of the shell in front of it, such as `ulimit -n 20;`.
  ///   - redirections: What follows it, such as `2>&-`.
  func run(
    _ arguments: [String], after prelude: String = "", _ redirections: String = "",
    input: BuiltProgram.Input = .none, output: BuiltProgram.Output = .captured,
    environment: [String: String]? = nil
  ) throws -> BuiltProgram.Outcome {
    try BuiltProgram(absolute: "/bin/sh").run(
      ["-c", "\(prelude) exec \"$0\" \"$@\" \(redirections)", program.path] + arguments,
      input: input, output: output, environment: environment)
  }

  /// What was printed, without the times that are in it.
  static func withoutTimes(_ text: String) -> String {
    text.replacing(/\d{4}-\d\d-\d\dT[\d:.]+Z/, with: "TIME")
  }
}

/// A program and a command line of it.
struct ContractLine: Sendable, CustomTestStringConvertible {
  let tool: ContractTool
  /// The arguments, in which `IRI` and `DIR` stand for those of the shared server.
  let words: [String]

  init(_ tool: ContractTool, _ words: String...) { (self.tool, self.words) = (tool, words) }

  var testDescription: String { ([tool.rawValue] + words).joined(separator: " ") }

  func arguments() throws -> [String] {
    let server = try TestServer.shared.get()
    return words.map { word in
      switch word {
      case "IRI": server.iri()
      case "DIR": server.cluster.directory
      default: word
      }
    }
  }
}

extension TestServer {
  /// Waits until no session of that application is left, and makes sure that it has prepared nothing.
  func expectNothingLeft(of application: String) throws {
    let db = try connect()
    defer { db.close() }
    for _ in 0..<200 {
      let count = try db.query(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", application)[0][
          0, as: Int.self]
      if count == 0 {
        #expect(
          try db.query("SELECT gid FROM pg_prepared_xacts WHERE gid LIKE 'pgkit%'").count == 0)
        return
      }
      Thread.sleep(forTimeInterval: 0.05)
    }
    Issue.record("a session of \(application) is still there")
  }

  /// The IRI with an application name of its own.
  func iri(calling application: String, _ options: String...) -> String {
    iri(options: ["application_name=\(application)"] + options)
  }
}
