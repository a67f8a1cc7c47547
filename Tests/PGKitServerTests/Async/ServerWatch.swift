import PGKit
import PGTestCluster
import Synchronization
import Testing

extension TestServer {
  /// Waits until the server says so of a process: without holding a thread that the others need.
  func wait(
    for process: Int32, until condition: String, location: SourceLocation = #_sourceLocation
  ) async throws {
    let watcher = try await AsyncConnection.open(iri())
    for _ in 0..<6000 {
      let holds = try await watcher.first(
        "SELECT \(condition) FROM pg_stat_activity WHERE pid = $1", process, as: Bool?.self)
      if holds == true { return await watcher.close() }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record(
      "of the server process \(process) is not true: \(condition)", sourceLocation: location)
  }

  /// Waits until the process is inside of `pg_sleep`.
  func waitUntilSleeps(
    _ process: Int32, location: SourceLocation = #_sourceLocation
  ) async throws {
    try await wait(for: process, until: "wait_event = 'PgSleep'", location: location)
  }
}

/// Something that happens, now and then, for which another task waits.
struct Signal: Sendable {
  private let ends = AsyncStream.makeStream(of: Void.self)

  func give() { ends.continuation.yield() }

  func wait() async { for await _ in ends.stream { break } }
}

/// What a test throws.
struct Boom: Error {}

/// A value that several tasks write.
final class Shared<Value: Sendable>: Sendable {
  private let mutex: Mutex<Value>

  init(_ value: Value) { mutex = Mutex(value) }

  var value: Value { mutex.withLock { $0 } }

  func change(_ body: @Sendable (inout Value) -> Void) { mutex.withLock { body(&$0) } }
}
