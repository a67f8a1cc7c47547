import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What all programs promise about stdin, stdout and stderr.
@Suite(
  "The contract of all programs: streams",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ToolContractStreamTests {
  private static let printing: [ContractLine] =
    ContractTool.allCases.flatMap { tool in
      [
        ContractLine(tool, "--help"), ContractLine(tool, "-h"), ContractLine(tool, "--version"),
      ]
    } + [
      ContractLine(.open, "IRI", "SELECT 1"),
      ContractLine(.open, "IRI", "--format", "table", "SELECT 1"),
      ContractLine(.open, "IRI", "--format", "json", "SELECT 1"),
      ContractLine(.open, "IRI", "--check", "SELECT 1"),
      ContractLine(.open, "IRI", "-1", "SELECT 1"),
      ContractLine(.open, "IRI", "--retry", "1", "SELECT 1"),
      ContractLine(.open, "IRI", "COPY (SELECT 1) TO STDOUT"),
      ContractLine(.open, "IRI", "--gexec", "--dry-run", "SELECT 'SELECT 1'"),
      ContractLine(.open, "IRI", "--explain-iri"),
      ContractLine(.open, "IRI", "-o", "/dev/stdout", "SELECT 1"),
      ContractLine(.copy, "IRI", "SELECT 1", "--to", "-"),
      ContractLine(.cluster, "status", "DIR"), ContractLine(.cluster, "url", "DIR"),
      ContractLine(.cluster, "env", "DIR"), ContractLine(.cluster, "list"),
      ContractLine(.cluster, "versions"), ContractLine(.cluster, "logs", "DIR"),
      ContractLine(.cluster, "config", "get", "DIR"),
      ContractLine(.errorCode, "--list"), ContractLine(.errorCode, "--emit", "json"),
      ContractLine(.errorCode, "--search", "unique"),
      ContractLine(.listen, "IRI", "contract", "--drain"),
      ContractLine(.listen, "durable", "install", "contract"),
    ]

  @Test("a full stdout is status 1, and the last line on stderr says why", arguments: printing)
  func fullOutput(line: ContractLine) throws {
    let outcome = try line.tool.program.run(try line.arguments(), output: .full)
    #expect(outcome.end == .exit(1), "\(outcome)")
    #expect(outcome.errors.hasSuffix("stdout: No space left on device\n"), "\(outcome)")
  }

  @Test("a closed stdout is status 1, and the last line on stderr says why", arguments: printing)
  func closedOutput(line: ContractLine) throws {
    let outcome = try line.tool.program.run(try line.arguments(), output: .closed)
    #expect(outcome.end == .exit(1), "\(outcome)")
    #expect(outcome.errors.last == "\n" && outcome.errors.contains("stdout: "), "\(outcome)")
  }

  @Test("a reader that has gone ends it by SIGPIPE, and nothing is said", arguments: printing)
  func brokenPipe(line: ContractLine) throws {
    let words = try line.arguments() + (line.words.contains("contract") ? ["--quiet"] : [])
    // `durable` has nothing to be quiet about.
    let arguments = line.words.first == "durable" ? try line.arguments() : words
    let outcome = try line.tool.program.run(arguments, output: .brokenPipe)
    #expect(outcome.end == .signal(SIGPIPE), "\(outcome)")
    #expect(outcome.errors == "", "\(outcome)")
  }

  @Test("the summary tells the status that the program ends with")
  func summaryOfFullOutput() throws {
    let server = try TestServer.shared.get()
    for output in [BuiltProgram.Output.full, .closed] {
      let outcome = try ContractTool.open.program.run(
        [server.iri(), "--summary", "json", "SELECT 1"], output: output)
      #expect(outcome.end == .exit(1))
      #expect(outcome.errors.contains(#""exit_code":1,"#), "\(outcome.errors)")
    }
  }

  @Test(
    "a stdin that is closed is not missed by who does not read it", arguments: ContractTool.allCases
  )
  func closedInput(tool: ContractTool) throws {
    let usual = try tool.program.run(try tool.work())
    #expect(usual.end == .exit(0) && !usual.output.isEmpty, "\(usual)")
    let outcome = try tool.program.run(try tool.work(), input: .closed)
    #expect(outcome.end == .exit(0), "\(outcome)")
    #expect(
      ContractTool.withoutTimes(outcome.output) == ContractTool.withoutTimes(usual.output))
  }

  @Test(
    "a stdin that is closed is status 1 where it is asked for",
    arguments: [
      ContractLine(.open, "IRI", "-f", "-"), ContractLine(.open, "IRI", "-f", "/dev/stdin"),
      ContractLine(.open, "IRI", "--param-file", "1=-", "SELECT $1"),
      ContractLine(.open, "IRI", "--each", "-", "--each-format", "csv", "SELECT $1"),
      ContractLine(.open, "--iri-file", "-", "SELECT 1"),
      ContractLine(.open, "--iri-file", "/dev/stdin", "SELECT 1"),
      ContractLine(.copy, "-", "contract", "--to", "IRI"),
      ContractLine(.errorCode, "-"), ContractLine(.errorCode, "filter"),
      ContractLine(.listen, "IRI", "--notify", "contract", "-"),
    ])
  func closedInputAskedFor(line: ContractLine) throws {
    let db = try TestServer.shared.connect()
    try db.execute("CREATE TABLE IF NOT EXISTS contract(n int)")
    db.close()
    let outcome = try line.tool.program.run(try line.arguments(), input: .closed)
    #expect(outcome.end == .exit(1), "\(outcome)")
    #expect(outcome.errors.contains("stdin: "), "\(outcome)")
  }

  @Test("stdin is left to a loop that runs it", arguments: ContractTool.allCases)
  func unreadInput(tool: ContractTool) throws {
    let outcome = try BuiltProgram(absolute: "/bin/sh").run(
      ["-c", "\"$0\" \"$@\" >/dev/null && cat", tool.program.path] + tool.work(),
      input: .text("the rest\n"))
    #expect(outcome.output == "the rest\n", "\(outcome)")
  }

  @Test(
    "a stderr that cannot be written changes neither status nor stdout",
    arguments: ContractTool.allCases, ["2>&-", "2>/dev/full", "2>&7"])
  func brokenErrors(tool: ContractTool, redirection: String) throws {
    let (arguments, status) = try tool.mistake()
    let usual = try tool.run(arguments)
    #expect(usual.end == .exit(status) && !usual.errors.isEmpty, "\(usual)")
    // 7 is a pipe whose reader has gone.
    let prelude =
      redirection == "2>&7"
      ? "p=$(mktemp -u); mkfifo \"$p\"; (exec <\"$p\") & exec 7>\"$p\"; wait; rm \"$p\";" : ""
    let outcome = try tool.run(arguments, after: prelude, redirection)
    #expect(outcome.end == .exit(status), "\(outcome)")
    #expect(
      ContractTool.withoutTimes(outcome.output) == ContractTool.withoutTimes(usual.output))
  }

  @Test("no file takes the place of a stream that is closed")
  func noFileForStream() throws {
    let server = try TestServer.shared.get()
    let folder = try ScratchFolder()
    let path = folder.path + "/rows"
    let outcome = try ContractTool.open.run(
      [
        server.iri(), "-o", path, "DO $$ BEGIN RAISE NOTICE 'not a row'; END $$", "SELECT 1",
      ], "<&- >&- 2>&-")
    #expect(outcome.end == .exit(0))
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "1\n")
  }

  @Test(
    "everything arrives through a pipe that does not block, and through a socket",
    arguments: [
      ContractLine(.open, "IRI", "SELECT generate_series(1, 30000)"),
      ContractLine(.copy, "IRI", "SELECT generate_series(1, 30000)", "--to", "-", "--quiet"),
      ContractLine(.errorCode, "--list", "--json"),
    ])
  func otherChannels(line: ContractLine) throws {
    let arguments = try line.arguments()
    let usual = try line.tool.program.run(arguments)
    #expect(usual.output.utf8.count > 100_000)
    #expect(try line.tool.program.run(arguments, output: .slowPipe).output == usual.output)
    let socket = try BuiltProgram(absolute: "/usr/bin/perl").run(
      [
        "-MSocket", "-e",
        """
        socketpair(my $near, my $far, AF_UNIX, SOCK_STREAM, 0) or die;
        if (!fork) { close $near; open STDOUT, ">&", $far; close $far; exec @ARGV }
        close $far; print while <$near>; wait; exit $? >> 8;
        """, line.tool.program.path,
      ] + arguments)
    #expect(socket.end == .exit(0) && socket.output == usual.output)
  }

  @Test("the log of a server arrives through a pipe that does not block")
  func slowLog() throws {
    let folder = try ScratchFolder()
    let line = String(repeating: "x", count: 99) + "\n"
    let text = String(repeating: line, count: 5_000)
    let log = try folder.write(text, to: "server.log")
    let server = try TestServer.shared.get()
    let outcome = try ContractTool.cluster.program.run(
      ["logs", server.cluster.directory, "--log", log], output: .slowPipe)
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    #expect(outcome.output == text)
  }

  @Test("a million rows and one reader of the first: quick, quiet, and nothing runs on")
  func firstRowOnly() throws {
    let server = try TestServer.shared.get()
    let application = "contract head"
    let start = ContinuousClock.now
    let outcome = try BuiltProgram(absolute: "/bin/bash").run([
      "-c", "\"$0\" \"$1\" 'SELECT generate_series(1, 10000000)' | head -1; echo ${PIPESTATUS[0]}",
      ContractTool.open.program.path, server.iri(calling: application),
    ])
    #expect(outcome.output == "1\n\(128 + SIGPIPE)\n" && outcome.errors == "", "\(outcome)")
    #expect(ContinuousClock.now - start < .seconds(5))
    try server.expectNothingLeft(of: application)
  }

  @Test(
    "what is printed on a terminal cannot command it",
    arguments: ["", "--format vertical", "--format md"])
  func terminal(format: String) throws {
    let server = try TestServer.shared.get()
    let folder = try ScratchFolder()
    let file = try folder.write("SELECT E'\\x1b]0;title\\x07\\x1b[2J' AS \"a\u{1B}[31mb\"")
    let outcome = try BuiltProgram(absolute: "/usr/bin/script").run([
      "-qec", "\(ContractTool.open.program.path) '\(server.iri())' \(format) -f \(file)",
      "/dev/null",
    ])
    #expect(outcome.end == .exit(0) && outcome.output.contains("]0;title"), "\(outcome)")
    #expect(!outcome.output.contains("\u{1B}") && !outcome.output.contains("\u{7}"))
  }
}
