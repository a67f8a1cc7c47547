import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// Whom a test runs the programs as.
struct Account: Sendable, CustomStringConvertible {
  /// The user's number; `nil` is the one of the tests.
  let userID: uid_t?

  static let caller = Account(userID: nil)

  /// The caller, and for root an ordinary user as well.
  static var all: [Account] { geteuid() == 0 ? [caller, Account(userID: 65_534)] : [caller] }

  var description: String { userID.map { "user \($0)" } ?? "user \(geteuid())" }

  /// What is put before a command line.
  fileprivate var prefix: [String] {
    guard let userID else { return [] }
    return ["/usr/bin/setpriv", "--reuid=\(userID)", "--regid=\(userID)", "--clear-groups"]
  }
}

/// A program where every user can execute it.
struct PublicCopy {
  let path: String

  /// Copied by another process: a descriptor that is still open for writing somewhere, as in a
  /// program that another test just starts, would keep the copy from being executed.
  init(of program: String) throws {
    path = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    _ = try BuiltProgram(absolute: "/usr/bin/install").run(["-m", "755", program, path])
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

/// A place of its own for records and templates.
final class ClusterScene {
  let program = BuiltProgram("pg-cluster")
  let home: String
  /// A directory of programs whose initdb counts its runs.
  let programs: String
  let environment: [String: String]
  private let segmentsBefore: Set<String>
  private let account: Account
  private let copy: PublicCopy?

  init(countingInits: Bool = false, account: Account = .caller) throws {
    self.account = account
    copy = account.userID == nil ? nil : try PublicCopy(of: program.path)
    home = "/tmp/pgkit-tests-\(UUID().uuidString.prefix(8))"
    programs = home + "/bin"
    try FileManager.default.createDirectory(
      atPath: home, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o711])
    var variables = ProcessInfo.processInfo.environment
    variables["PGKIT_CLUSTER_HOME"] = home + "/home"
    if let userID = account.userID {
      variables["XDG_RUNTIME_DIR"] = nil
      chown(home, userID, userID)
    }
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
    // Put into place by another process, as ``PublicCopy`` is.
    try script.write(toFile: home + "/initdb", atomically: true, encoding: .utf8)
    _ = try BuiltProgram(absolute: "/usr/bin/install").run([
      "-m", "755", home + "/initdb", programs + "/initdb",
    ])
    #expect(files.createFile(atPath: home + "/inits", contents: nil))
    try files.setAttributes([.posixPermissions: 0o666], ofItemAtPath: home + "/inits")
  }

  func initCount() throws -> Int {
    try String(contentsOfFile: home + "/inits", encoding: .utf8).split(separator: "\n").count
  }

  func remove() {
    try? FileManager.default.removeItem(atPath: home)
    copy?.remove()
  }

  /// Starts pg-cluster as the account, in a process group of its own if that is wanted.
  func start(_ arguments: [String], inOwnGroup: Bool = false) throws -> RunningProgram {
    let leader = inOwnGroup ? ["/usr/bin/perl", "-e", "setpgrp; exec @ARGV", "--"] : []
    let line = leader + account.prefix + [copy?.path ?? program.path] + arguments
    return try BuiltProgram(absolute: line[0]).start(
      Array(line.dropFirst()), environment: environment)
  }

  /// Runs pg-cluster as the account.
  func run(_ arguments: [String]) throws -> BuiltProgram.Outcome {
    try start(arguments).wait()
  }

  /// Who is there.
  struct Census {
    var tools: [pid_t] = []
    var supervisors: [pid_t] = []
    var servers: [pid_t] = []
    var commands: [pid_t] = []
  }

  func census() throws -> Census {
    for directory in directories() { shared.formUnion(try SharedSegments(in: directory)) }
    return Census(
      tools: try processes(true, false, false), supervisors: try processes(false, true, false),
      servers: try processes(false, false, true), commands: try commands())
  }

  /// The processes that were started with a cluster of this place in their environment.
  func commands() throws -> [pid_t] {
    let entries = Set(directories()).union(seen).map { "PGSERVICEFILE=\($0)/pg_service.conf" }
    return try Self.allProcesses().filter { pid in
      let file = FileHandle(forReadingAtPath: "/proc/\(pid)/environ")
      guard let bytes = try? file?.readToEnd() else { return false }
      let variables = String(decoding: bytes, as: UTF8.self).split(separator: "\0")
      return variables.contains { entries.contains(String($0)) }
    }
  }

  func waitForCommand() throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while try commands().isEmpty, ContinuousClock.now < deadline { usleep(10_000) }
  }

  /// Whether the commands are gone within moments, without anybody's sweeping up.
  func commandsEnd() throws -> Bool {
    for _ in 0..<100 {
      if try commands().isEmpty { return true }
      usleep(20_000)
    }
    return false
  }

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
    left += shared.remaining
    left += try processes(true, true, true).map { "process \($0)" }
    left += try commands().map { "command \($0)" }
    for pid in try Self.allProcesses() {
      let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
      if let place, seen.contains(where: place.hasPrefix) {
        left.append("process \(pid) in \(place)")
      }
    }
    return left
  }

  /// The shared memory that servers here had when a census was taken.
  private var shared = SharedSegments()
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
    var idle = try Self.idleSegments().subtracting(segmentsBefore)
    // Those of other tests, and of clusters that are just ending, go away.
    for _ in 0..<60 where !idle.isEmpty {
      sleep(1)
      idle.formIntersection(try Self.idleSegments())
    }
    return idle
  }
}
