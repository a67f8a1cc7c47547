import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// What stays behind of throwaway clusters: nothing, whoever is killed and when.
///
/// `make soak` asks for more kills and more starts.
@Suite(
  "Leftovers of pg-cluster", .serialized,
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct LeftoverTests {
  private static func count(_ variable: String, _ usual: Int) -> Int {
    ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } ?? usual
  }

  /// Who is killed.
  private enum Victim: CaseIterable { case tool, supervisor, server, all }

  @Test("kills at random moments leave nothing, at the latest after gc")
  func kills() throws {
    let scene = try ClusterScene()
    defer { scene.remove() }
    let seed = UInt64(Self.count("PGKIT_SOAK_SEED", Int(time(nil))))
    var generator = SeededGenerator(seed: seed)
    // The first one makes the template, which is a moment too.
    for round in 0..<Self.count("PGKIT_SOAK_KILLS", 10) {
      let victim = Victim.allCases[generator.number(below: Victim.allCases.count)]
      let patience = generator.number(below: round == 0 ? 600_000 : 160_000)
      let tool = try scene.program.start(
        ["run", "--", "sleep", "30"], environment: scene.environment)
      usleep(UInt32(patience))
      let isAll = victim == .all
      for process in try scene.processes(
        isAll || victim == .tool, isAll || victim == .supervisor, isAll || victim == .server)
      { kill(process, SIGKILL) }
      if victim == .tool || victim == .all { tool.signal(SIGKILL) } else { tool.signal(SIGTERM) }
      _ = try tool.wait(timeout: .seconds(40))
      try scene.waitUntilNothingIsHeld()
      _ = try scene.program.run(["gc"], environment: scene.environment)
      let left = try scene.leftovers()
      #expect(left.isEmpty, "seed \(seed), round \(round), \(victim) after \(patience) us: \(left)")
      if !left.isEmpty { return }
    }
    #expect(try scene.newSegments().isEmpty)
  }

  @Test("of many first starts at once one runs initdb, and all have a cluster")
  func firstStarts() throws {
    let scene = try ClusterScene(countingInits: true)
    defer { scene.remove() }
    let count = Self.count("PGKIT_SOAK_STARTS", 8)
    let runs = try (0..<count).map { _ in
      try scene.program.start(
        [
          "run", "--pg", scene.programs, "--set", "max_connections=10", "--",
          "sh", "-c", "test -S $PGHOST/.s.PGSQL.5432 && echo ready",
        ],
        environment: scene.environment)
    }
    for run in runs {
      let outcome = try run.wait(timeout: .seconds(300))
      #expect(outcome.end == .exit(0), "\(outcome.errors)")
      #expect(outcome.output == "ready\n")
    }
    #expect(try scene.initCount() == 1)
    #expect(try scene.leftovers().isEmpty)
  }
}

/// A place of its own for records and templates.
final class ClusterScene {
  let program = BuiltProgram("pg-cluster")
  let home: String
  /// A directory of programs whose initdb counts its runs.
  let programs: String
  let environment: [String: String]
  private let segmentsBefore: Set<String>

  init(countingInits: Bool = false) throws {
    home = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    programs = home + "/bin"
    try FileManager.default.createDirectory(
      atPath: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o711])
    var variables = ProcessInfo.processInfo.environment
    variables["PGKIT_CLUSTER_HOME"] = home + "/home"
    environment = variables
    segmentsBefore = try Self.idleSegments()
    if countingInits { try makePrograms() }
  }

  private func makePrograms() throws {
    let real = try Installation.find().binaryDirectory
    let files = FileManager.default
    try files.createDirectory(
      atPath: programs, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
    for name in ["postgres", "pg_resetwal"] {
      try files.createSymbolicLink(
        atPath: "\(programs)/\(name)", withDestinationPath: "\(real)/\(name)")
    }
    let script = "#!/bin/sh\necho run >>\(home)/inits\nexec \(real)/initdb \"$@\"\n"
    try script.write(toFile: programs + "/initdb", atomically: true, encoding: .utf8)
    try files.setAttributes([.posixPermissions: 0o755], ofItemAtPath: programs + "/initdb")
    files.createFile(atPath: home + "/inits", contents: nil)
    try files.setAttributes([.posixPermissions: 0o666], ofItemAtPath: home + "/inits")
  }

  func initCount() throws -> Int {
    try String(contentsOfFile: home + "/inits", encoding: .utf8).split(separator: "\n").count
  }

  func remove() { try? FileManager.default.removeItem(atPath: home) }

  private var records: String { home + "/home/throwaways" }

  private func recordNames() -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: records)) ?? []
  }

  /// The directories that are on record, wherever they are.
  func directories() -> [String] {
    let found = recordNames().compactMap { name in
      let text = (try? String(contentsOfFile: "\(records)/\(name)", encoding: .utf8)) ?? ""
      return ConfigurationFile(parsing: text)["directory"]
    }
    seen.formUnion(found)
    return found
  }

  /// The processes that belong to this place: tools, supervisors, servers.
  func processes(_ tools: Bool, _ supervisors: Bool, _ servers: Bool) throws -> [pid_t] {
    var found: [pid_t] = []
    for directory in directories() where servers {
      if let file = DataDirectory(directory + "/data").postmasterFile {
        found.append(file.processID)
      }
    }
    guard tools || supervisors else { return found }
    for pid in try Self.allProcesses() where holdsRecord(pid) {
      let name = (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) ?? ""
      if name.hasPrefix("pgkit-guard") ? supervisors : tools { found.append(pid) }
    }
    return found
  }

  private static func allProcesses() throws -> [pid_t] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { pid_t($0) }
  }

  private func holdsRecord(_ pid: pid_t) -> Bool {
    let folder = "/proc/\(pid)/fd"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.contains {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))?
        .hasPrefix(home) == true
    }
  }

  func waitUntilNothingIsHeld() throws {
    for _ in 0..<800 {
      if try processes(true, true, false).isEmpty { return }
      usleep(50_000)
    }
    Issue.record("something is still held: \(directories())")
  }

  /// Everything that is left: records, directories, processes.
  func leftovers() throws -> [String] {
    var left = recordNames()
    for base in ["/dev/shm", "/tmp", environment["XDG_RUNTIME_DIR"] ?? "/tmp"] {
      for name in try FileManager.default.contentsOfDirectory(atPath: base) {
        if seen.contains("\(base)/\(name)") { left.append("\(base)/\(name)") }
      }
    }
    left += try processes(true, true, true).map { "process \($0)" }
    for pid in try Self.allProcesses() {
      let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
      if let place, seen.contains(where: place.hasPrefix) {
        left.append("process \(pid) in \(place)")
      }
    }
    return left
  }

  /// Every directory that was ever met on record.
  private var seen: Set<String> = []
  private static func idleSegments() throws -> Set<String> {
    let text = (try? String(contentsOfFile: "/proc/sysvipc/shm", encoding: .utf8)) ?? ""
    return Set(
      text.split(separator: "\n").dropFirst().compactMap { line in
        let columns = line.split(separator: " ")
        return columns.count > 6 && columns[6] == "0" ? String(columns[1]) : nil
      })
  }

  /// Shared memory that nobody uses and that was not there before, and stays.
  func newSegments() throws -> Set<String> {
    let first = try Self.idleSegments().subtracting(segmentsBefore)
    if first.isEmpty { return [] }
    sleep(2)
    return try first.intersection(Self.idleSegments())
  }
}
