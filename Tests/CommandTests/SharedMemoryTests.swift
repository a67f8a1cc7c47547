import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// Shared memory of throwaway clusters of which everybody was killed.
@Suite(
  "Shared memory of pg-cluster",
  .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct SharedMemoryTests {
  private let scene: ClusterScene

  init() throws { scene = try ClusterScene() }

  private func killEverybody() throws {
    let census = try scene.census()
    for process in census.supervisors + census.tools { kill(process, SIGKILL) }
    // Also initdb, which would start its next server, and what it has started meanwhile.
    for _ in 0..<400 {
      let living = try scene.directories().flatMap {
        try SharedSegments.processes(in: $0, onlyServers: false)
      }
      if living.isEmpty { break }
      for process in living { kill(process, SIGKILL) }
      usleep(50_000)
    }
    try scene.waitUntilNothingIsHeld()
  }

  @Test(
    "gc removes what servers have left that were told to share otherwise",
    arguments: TestServer.installations, ["posix", "sysv"])
  func told(installation: Installation, sharing: String) throws {
    defer { scene.remove() }
    let made = try scene.run([
      "temp", "--pg", installation.binaryDirectory, "--ttl", "60s", "--standby", "1",
      "--set", "dynamic_shared_memory_type=\(sharing)",
    ])
    #expect(made.end == .exit(0), "\(made.errors)")
    let directory = try #require(scene.directories().first)
    let segments = try SharedSegments(in: directory)
    #expect(segments.names.count + segments.numbers.count >= 4)
    try killEverybody()
    #expect(!segments.remaining.isEmpty)
    let swept = try scene.run(["gc"])
    #expect(swept.end == .exit(0))
    #expect(segments.remaining.isEmpty, "\(swept.errors)")
    #expect(try scene.leftovers().isEmpty)
  }

  @Test("gc removes segments that somebody else is just looking at")
  func visited() throws {
    defer { scene.remove() }
    let made = try scene.run([
      "temp", "--ttl", "60s", "--set", "dynamic_shared_memory_type=sysv",
    ])
    #expect(made.end == .exit(0), "\(made.errors)")
    let segments = try SharedSegments(in: try #require(scene.directories().first))
    #expect(segments.numbers.count >= 2)
    try killEverybody()
    // As another sweep does, which searches for the segments of other servers.
    let views = segments.numbers.compactMap { Int32($0) }.map { shmat($0, nil, SHM_RDONLY) }
    let sweep = try scene.start(["gc"])
    usleep(50_000)
    for view in views { #expect(shmdt(view) == 0) }
    let swept = try sweep.wait()
    #expect(swept.end == .exit(0))
    #expect(segments.remaining.isEmpty, "\(swept.errors)")
  }

  @Test("gc removes what initdb has left that was killed", arguments: TestServer.installations)
  func initializing(installation: Installation) throws {
    defer { scene.remove() }
    let tool = try scene.start(["run", "--pg", installation.binaryDirectory, "--", "true"])
    let segments = try #require(try firstSegments())
    try killEverybody()
    _ = try tool.wait()
    #expect(!segments.remaining.isEmpty)
    let swept = try scene.run(["gc"])
    #expect(swept.end == .exit(0))
    #expect(segments.remaining.isEmpty, "\(swept.errors)")
    #expect(try scene.leftovers().isEmpty)
  }

  /// Stops the first server process that shares memory by /dev/shm: one that initdb has started.
  private func firstSegments() throws -> SharedSegments? {
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
      for directory in scene.directories() {
        for process in try SharedSegments.processes(in: directory) {
          kill(process, SIGSTOP)
          waitUntilStopped(process)
          let segments = try SharedSegments(in: directory)
          kill(process, SIGCONT)
          guard !segments.names.isEmpty, !segments.numbers.isEmpty else { continue }
          // It may have made the one and not yet written into the other that it did: then nobody could tell
          // whose the one is. A moment later it has.
          usleep(2_000)
          kill(process, SIGSTOP)
          waitUntilStopped(process)
          let known = try SharedSegments(in: directory)
          if !known.names.isEmpty, !known.numbers.isEmpty { return known }
          kill(process, SIGCONT)
        }
      }
      usleep(2_000)
    }
    return nil
  }

  private func waitUntilStopped(_ process: pid_t) {
    for _ in 0..<1000 {
      let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
      if text.map({ $0.contains(") T ") || $0.contains(") Z ") }) ?? true { return }
      usleep(1_000)
    }
  }
}
