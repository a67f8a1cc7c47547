import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What all programs promise about signals, and what is left behind them.
@Suite(
  "The contract of all programs: signals",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ToolContractSignalTests {
  private let server: TestServer
  /// The application name by which the server knows the program.
  private let application = "contract \(UInt64.random(in: 0...UInt64.max))"

  init() throws { server = try TestServer.shared.get() }

  private var iri: String { server.iri(calling: application) }

  /// Starts the program on something that does not end by itself, and waits until it is at it.
  private func startEndless(
    _ tool: ContractTool, _ environment: [String: String]? = nil
  ) throws -> RunningProgram {
    func start(_ words: [String], input: BuiltProgram.Input = .none) throws -> RunningProgram {
      try tool.program.start(words, input: input, environment: environment)
    }
    switch tool {
    case .open:
      let mark = "endless \(application)"
      let running = try start([iri, "-1", "SELECT pg_sleep(60) /* \(mark) */"])
      try server.waitUntilSleeps(matching: "%\(mark)%")
      return running
    case .copy:
      let mark = "SELECT pg_sleep(0.01), '\(application)' FROM generate_series(1, 100000)"
      let running = try start([iri, mark, "--to", "-"])
      try server.waitUntilRuns(matching: "COPY%\(application)%")
      return running
    case .cluster:
      let running = try start(["logs", server.cluster.directory, "--follow"])
      try running.waitForOutput("ready to accept connections")
      return running
    case .errorCode:
      let running = try start(["-"], input: .open)
      running.send("23505\n")
      try running.waitForOutput("23505")
      return running
    case .listen:
      let running = try start([iri, "contract"])
      try running.waitForErrors("listening on ")
      return running
    }
  }

  @Test(
    "INT, TERM and HUP end it by the signal within its grace, and nothing is left on the server",
    arguments: ContractTool.allCases, [SIGINT, SIGTERM, SIGHUP])
  func ends(tool: ContractTool, signal: Int32) throws {
    let running = try startEndless(tool)
    let start = ContinuousClock.now
    running.signal(signal)
    let outcome = try running.wait()
    #expect(outcome.end == .signal(signal), "\(outcome)")
    #expect(ContinuousClock.now - start < .seconds(5))
    try server.expectNothingLeft(of: application)
  }

  @Test("QUIT ends it as the system does", arguments: ContractTool.allCases)
  func quits(tool: ContractTool) throws {
    // Where Swift's tools are at hand, its runtime would first look for what the program was doing.
    var environment = BuiltProgram.ownEnvironment
    environment["SWIFT_BACKTRACE"] = "enable=no"
    let running = try startEndless(tool, environment)
    running.signal(SIGQUIT)
    #expect(try running.wait().end == .signal(SIGQUIT))
    try terminate()
    try server.expectNothingLeft(of: application)
  }

  @Test("what was started to ignore HUP goes on", arguments: ContractTool.allCases)
  func ignores(tool: ContractTool) throws {
    let arguments: [String] =
      switch tool {
      case .open: [iri, "SELECT pg_sleep(1)", "SELECT 'went on'"]
      case .copy: [iri, "SELECT pg_sleep(1), 'went on'", "--to", "-", "--quiet"]
      case .cluster: ["run", "--", "sh", "-c", "sleep 1; echo went on"]
      case .errorCode: ["23505", "-"]
      case .listen: [iri, "contract", "--quiet", "--timeout", "1s"]
      }
    let running = try BuiltProgram(absolute: "/bin/sh").start(
      ["-c", "trap '' HUP; exec \"$0\" \"$@\"", tool.program.path] + arguments, input: .open)
    usleep(600_000)
    running.signal(SIGHUP)
    usleep(100_000)
    #expect(running.isRunning)
    running.closeInput()
    let outcome = try running.wait()
    #expect(outcome.end == .exit(tool == .listen ? 4 : 0), "\(outcome)")
    if ![.listen, .errorCode].contains(tool) { #expect(outcome.output.contains("went on")) }
  }

  @Test("what is stopped goes on when it is continued", arguments: ContractTool.talkers)
  func stops(tool: ContractTool) throws {
    let arguments: [String] =
      switch tool {
      case .copy: [iri, "SELECT repeat('x', 999) FROM generate_series(1, 30000)", "--to", "-"]
      case .listen: [iri, "contract", "--timeout", "2s", "--on-ready-sql", "SELECT 1"]
      default: [iri, "SELECT repeat('x', 999) FROM generate_series(1, 30000)"]
      }
    let running = try tool.program.start(arguments, output: .slowPipe)
    for _ in 0..<5 {
      usleep(100_000)
      running.signal(SIGTSTP)
      usleep(100_000)
      running.signal(SIGCONT)
    }
    let outcome = try running.wait()
    #expect(outcome.end == .exit(tool == .listen ? 4 : 0), "\(outcome.errors)")
    #expect(outcome.lines.count == (tool == .listen ? 2 : 30_000))
  }

  /// Ends what the application's statements are, which nobody wants any more.
  private func terminate() throws {
    let db = try server.connect()
    defer { db.close() }
    try db.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
      application)
  }

  @Test("killed while rows come, its statement ends on the server by itself")
  func killed() throws {
    let running = try ContractTool.open.program.start(
      [iri, "SELECT generate_series(1, 100000000), repeat('x', 999)"], output: .slowPipe)
    usleep(500_000)
    running.signal(SIGKILL)
    #expect(try running.wait().end == .signal(SIGKILL))
    try server.expectNothingLeft(of: application)
  }

  @Test("killed while nothing comes, its statement ends where the server looks for its clients")
  func killedWhileWaiting() throws {
    let iri = server.iri(
      calling: application, "options=-c%20client_connection_check_interval%3D500")
    let mark = "unwatched \(application)"
    let running = try ContractTool.open.program.start([
      iri, "-1", "SELECT 1", "SELECT pg_sleep(60) /* \(mark) */",
    ])
    try server.waitUntilSleeps(matching: "%\(mark)%")
    running.signal(SIGKILL)
    _ = try running.wait()
    try server.expectNothingLeft(of: application)
  }

  @Test("killed, a copying commits nothing anywhere")
  func killedCopying() throws {
    let db = try server.connect()
    defer { db.close() }
    let table = "contract_killed_\(UInt64.random(in: 0...UInt64.max))"
    try db.execute("CREATE TABLE \(table)(n int, t text)")
    let running = try ContractTool.copy.program.start([
      iri, "SELECT generate_series(1, 100000000) AS n, repeat('x', 999) AS t", "--to",
      "\(iri);table=\(table)",
    ])
    try server.waitUntilRuns(matching: "COPY%\(table)%")
    running.signal(SIGKILL)
    _ = try running.wait()
    try server.expectNothingLeft(of: application)
    #expect(try db.query.first("SELECT count(*) FROM \(table)", as: Int.self) == 0)
  }
}
