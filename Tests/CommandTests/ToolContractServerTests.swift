import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What the programs promise about servers and networks that fail, and about disks that are full or
/// read-only.
@Suite(
  "The contract of all programs: servers and disks",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct ToolContractServerTests {
  private let open = ContractTool.open.program
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: scratch.path)) ?? []).sorted()
  }

  // MARK: The server goes

  private static let slowRows = """
    SELECT n, 'row ' || n, pg_sleep(0.0002) FROM generate_series(1, 1000000) AS n
    """

  @Test(
    "a server that goes in the middle of the rows is status 2, and what is printed are whole rows",
    arguments: ["fast", "immediate", "kill"], ["tsv", "jsonl", "csv"])
  func serverGoes(way: String, format: String) throws {
    let temporary = try TemporaryCluster(installation: nil, TemporaryCluster.Options())
    defer { try? temporary.close() }
    let iri = try temporary.iri(scheme: "postgres")
    let printing = try open.start([iri, "--format", format, Self.slowRows])
    let filing = try open.start([
      iri, "--format", format, "-o", scratch.path + "/rows", Self.slowRows,
    ])
    _ = try printing.waitForOutput { $0.utf8.count > 10_000 }
    switch way {
    case "kill": kill(try #require(try temporary.cluster.processID()), SIGKILL)
    case "immediate": try temporary.cluster.stop(.immediate)
    default: try temporary.cluster.stop(.fast)
    }
    for running in [printing, filing] {
      let outcome = try running.wait()
      #expect(outcome.end == .exit(2), "\(outcome.errors)")
      #expect(outcome.errors.hasPrefix("pg-open: ") && outcome.errors.last == "\n")
      #expect(outcome.output.isEmpty || outcome.output.last == "\n")
      if format == "jsonl" {
        for line in outcome.lines.suffix(3) {
          _ = try JSONSerialization.jsonObject(with: Data(line.utf8))
        }
      }
    }
    #expect(files.isEmpty)
  }

  @Test("the command of a cluster decides when its server goes, and status tells that it has gone")
  func serverOfRunGoes() throws {
    let script = """
      "$1" status "$PGHOST" >&2 || exit 90
      kill -9 $(head -1 "$PGHOST/data/postmaster.pid")
      for i in 1 2 3 4 5 6 7 8 9; do "$1" status "$PGHOST" >&2 || break; sleep 0.2; done
      "$1" status "$PGHOST"; echo status $?; exit 7
      """
    let tool = ContractTool.cluster.program
    let outcome = try tool.run(["run", "--", "sh", "-c", script, "sh", tool.path])
    #expect(outcome.end == .exit(7), "\(outcome)")
    #expect(outcome.output.hasSuffix("status 3\n"), "\(outcome)")
  }

  // MARK: The network

  @Test(
    "a network that swallows everything ends at --timeout with 4",
    .enabled(if: NetworkScene.canBeMade, "this user may not make networks"))
  func blackHole() throws {
    let scene = try NetworkScene()
    defer { scene.close() }
    let running = try scene.start(
      open,
      [try scene.iri(), "--timeout", "3s", "SELECT 'before'", "SELECT pg_sleep(1)", Self.slowRows])
    try running.waitForOutput("before")
    try scene.cut(.both)
    let start = ContinuousClock.now
    let outcome = try running.wait(timeout: .seconds(30))
    #expect(outcome.end == .exit(4), "\(outcome)")
    #expect(ContinuousClock.now - start < .seconds(12))
    try scene.mend(.both)
  }

  @Test("a server that never answers ends at --timeout with 4")
  func silence() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        _ = bind(listener, pointer, size)
        _ = listen(listener, 8)
        getsockname(listener, pointer, &size)
      }
      return UInt16(bigEndian: pointer.pointee.sin_port)
    }
    let start = ContinuousClock.now
    let outcome = try open.run([
      "postgres://u@127.0.0.1:\(port)/d?sslmode=disable", "--timeout", "300ms", "SELECT 1",
    ])
    #expect(outcome.end == .exit(4), "\(outcome)")
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  @Test("of several hosts the one is found that is wanted")
  func severalHosts() throws {
    let server = try TestServer.shared.get()
    var options = TemporaryCluster.Options()
    options.standbys = 1
    let temporary = try TemporaryCluster(installation: nil, options)
    defer { try? temporary.close() }
    let primary = try temporary.connectionOptions()
    let standby = try #require(temporary.standbys.first)
    let status = try standby.connectionOptions()
    let hosts = [status, primary].compactMap { $0.hosts?.first?.replacing("/", with: "%2F") }
    let ports = [status, primary].compactMap { $0.ports?.first }
    func ask(_ wanted: String) throws -> BuiltProgram.Outcome {
      try open.run([
        "postgres://\(TemporaryCluster.superuser)@%2Fnonexistent:1,\(hosts[0]):\(ports[0]),"
          + "\(hosts[1]):\(ports[1])/postgres?target_session_attrs=\(wanted)",
        "SELECT pg_is_in_recovery()",
      ])
    }
    #expect(try ask("any").output == "t\n")
    #expect(try ask("read-write").output == "f\n")
    #expect(try ask("standby").output == "t\n")
    _ = server
  }

  @Test("a standby answers what only reads, and refuses what writes with 3")
  func standby() throws {
    var options = TemporaryCluster.Options()
    options.standbys = 1
    let temporary = try TemporaryCluster(installation: nil, options)
    defer { try? temporary.close() }
    let standby = try #require(temporary.standbys.first)
    let place = try standby.connectionOptions()
    let host = try #require(place.hosts?.first).replacing("/", with: "%2F")
    let iri =
      "postgres://\(TemporaryCluster.superuser)@\(host):\(try #require(place.ports?.first))/postgres"
    for flags in [["--read-only"], ["--read-only", "-1"], []] {
      #expect(try open.run([iri] + flags + ["SELECT 1"]).output == "1\n")
    }
    let refused = try open.run([iri, "CREATE TABLE t()"])
    #expect(refused.end == .exit(3) && refused.errors.contains("25006"), "\(refused)")
    let copied = try ContractTool.copy.program.run([iri, "SELECT 1", "--to", "-", "--quiet"])
    #expect(copied.end == .exit(0) && copied.output == "1\n", "\(copied)")
  }

  @Test("a server that is not the one is noticed before anything runs")
  func wrongServer() throws {
    let server = try TestServer.shared.get()
    let own = try open.run([
      server.iri(), "SELECT system_identifier FROM pg_control_system()",
    ]).output.trimmingCharacters(in: .newlines)
    #expect(try open.run([server.iri(), "--expect-system-id", own, "SELECT 1"]).output == "1\n")
    let table = "contract_wrong_\(UInt64.random(in: 0...UInt64.max))"
    let other = try open.run([
      server.iri(), "--expect-system-id", "7000000000000000001", "CREATE TABLE \(table)()",
    ])
    #expect(other.end == .exit(6) && other.errors.contains(own), "\(other)")
    #expect(try open.run([server.iri(), "SELECT to_regclass('\(table)')"]).output == "\\N\n")
    #expect(try open.run([server.iri(), "--expect-system-id", "x", "SELECT 1"]).end == .exit(64))
  }

  // MARK: Disks

  private static let unshare = BuiltProgram(absolute: "/usr/bin/unshare")

  static let mayMount: Bool = {
    let script = "mount -t tmpfs -o size=1m none /mnt"
    return (try? unshare.run(["--mount", "sh", "-c", script]))?.end == .exit(0)
  }()

  @Test(
    "a server whose disk is full is status 3, and the message says that it may pass",
    .enabled(if: mayMount, "this user may not mount file systems"))
  func serverDiskFull() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    let place = scene.home + "/place"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    // Only the table's disk is small: the server itself lives on where it can write its log.
    let outcome = try Self.unshare.run(
      [
        "--mount", "sh", "-c",
        "mount -t tmpfs -o size=16m,mode=777 none \(place) && exec \"$0\" \"$@\"",
        scene.program.path, "run", "--", "sh", "-c",
        """
        install -d -o "$(stat -c %u "$PGHOST/data")" \(place)/space
        "$0" --dbname postgres "CREATE TABLESPACE small LOCATION '\(place)/space'" || exit 90
        exec "$0" --errors json --dbname postgres 'CREATE TABLE t TABLESPACE small AS
          SELECT repeat(md5(n::text), 50) FROM generate_series(1, 1000000) AS n'
        """, open.path,
      ], environment: scene.environment)
    #expect(outcome.end == .exit(3), "\(outcome)")
    let line = try #require(outcome.errors.split(separator: "\n").first { $0.contains("53100") })
    let error = try #require(
      try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(error["sqlstate"] as? String == "53100" && error["retryable"] as? Bool == true)
    #expect(try scene.leftovers().isEmpty)
  }

  /// A prelude that makes everything read-only but what the servers need.
  private static let readOnly =
    "exec unshare --mount sh -c 'mount -o remount,bind,ro / && exec \"$@\"' sh "

  @Test(
    "works where nothing can be written", .enabled(if: mayMount, "this user may not mount"),
    arguments: ContractTool.allCases)
  func readOnlySystem(tool: ContractTool) throws {
    let usual = try tool.program.run(try tool.work())
    let words = [tool.program.path] + (try tool.work())
    let outcome = try BuiltProgram(absolute: "/bin/sh").run(
      ["-c", Self.readOnly + "\"$0\" \"$@\""] + words)
    #expect(outcome.end == .exit(0), "\(outcome)")
    #expect(
      ContractTool.withoutTimes(outcome.output) == ContractTool.withoutTimes(usual.output))
  }

  @Test(
    "a file that cannot be written is refused before anything runs",
    .enabled(if: mayMount, "this user may not mount"))
  func readOnlyFile() throws {
    let server = try TestServer.shared.get()
    let table = "contract_ro_\(UInt64.random(in: 0...UInt64.max))"
    let path = try scratch.write("old\n", to: "report.csv")
    for option in [["-o", path], ["--no-atomic", "-o", path]] {
      let outcome = try BuiltProgram(absolute: "/bin/sh").run(
        ["-c", Self.readOnly + "\"$0\" \"$@\"", open.path, server.iri()] + option + [
          "CREATE TABLE \(table)()"
        ])
      #expect(outcome.end == .exit(1), "\(outcome)")
      #expect(outcome.errors == "pg-open: \(path): Read-only file system\n")
    }
    #expect(try open.run([server.iri(), "SELECT to_regclass('\(table)')"]).output == "\\N\n")
    #expect(try String(contentsOfFile: path, encoding: .utf8) == "old\n" && files == ["report.csv"])
  }

  @Test(
    "a throwaway cluster finds a place where most are read-only, and names them where all are",
    .enabled(if: mayMount, "this user may not mount"))
  func readOnlyCluster() throws {
    let tool = ContractTool.cluster.program
    let outcome = try BuiltProgram(absolute: "/bin/sh").run([
      "-c", Self.readOnly + "\"$0\" \"$@\"", tool.path, "run", "--", "sh", "-c", "echo $PGHOST",
    ])
    #expect(outcome.end == .exit(0) && outcome.output.hasPrefix("/dev/shm/"), "\(outcome)")
    let nowhere = try BuiltProgram(absolute: "/bin/sh").run([
      "-c",
      "exec unshare --mount sh -c 'mount -o remount,ro,bind /dev/shm && mount -o remount,bind,ro / && exec \"$@\"' sh \"$0\" \"$@\"",
      tool.path, "run", "--", "true",
    ])
    #expect(nowhere.end == .exit(125), "\(nowhere)")
    #expect(nowhere.errors.contains("no directory for temporary files can be used"), "\(nowhere)")
  }

  // MARK: Sizes

  @Test(
    "a value of a hundred megabytes takes a few times as much, in every format",
    arguments: ["csv", "tsv", "raw", "nul"])
  func hugeValue(format: String) throws {
    let server = try TestServer.shared.get()
    let path = scratch.path + "/huge"
    let outcome = try open.run([
      server.iri(), "--format", format, "--no-header", "-o", path,
      "SELECT repeat('x', 100000000) FROM generate_series(1, 3)",
    ])
    #expect(outcome.end == .exit(0), "\(outcome.errors)")
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    #expect(size == 300_000_003)
    #expect(outcome.peakMemory < 600_000, "\(outcome.peakMemory) KiB")
  }

  @Test("rows of 1600 columns come whole, in every format and through a copying")
  func manyColumns() throws {
    let server = try TestServer.shared.get()
    let list = (1...1600).map { "\($0) AS c\($0)" }.joined(separator: ", ")
    for format in ["csv", "jsonl", "tsv"] {
      let outcome = try open.run([server.iri(), "--format", format, "SELECT \(list)"])
      #expect(outcome.end == .exit(0) && outcome.output.contains("1600"), "\(outcome.errors)")
    }
    let copied = try ContractTool.copy.program.run([
      server.iri(), "SELECT \(list)", "--to", "-", "--quiet",
    ])
    #expect(copied.output.split(separator: "\t").count == 1600, "\(copied.errors)")
  }
}
