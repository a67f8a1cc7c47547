internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The processes of servers that work in a data directory, as far as the system shows them.
///
/// Those of a server that was killed end by themselves, most at once; one that is busy first ends
/// what it does. Until then they keep the server's shared memory, and no other server can start there.
struct ServerProcesses: Sendable {
  private let handles: [ProcessHandle]

  /// So many are looked for at most.
  private static let limit = 4096
  /// So many are named at most.
  private static let namedLimit = 5
  private static let longestTitle = 80

  /// Those that work in the directory now.
  init(in directory: String) {
    let path = AbsolutePath.resolved(directory) ?? directory
    let held = Self.numbers(in: path).map { ProcessHandle($0) }
    // Held fast first, and asked again: a number may have changed hands in between.
    let still = held.isEmpty ? [] : Set(Self.numbers(in: path))
    handles = held.filter { still.contains($0.pid) }
  }

  private static func numbers(in directory: String) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: limit) { buffer, count in
      count = Int(pgkit_list_residents(directory, buffer.baseAddress, Int32(buffer.count)))
    }
  }

  /// Those of them that have not ended yet.
  private var rest: [ProcessHandle] { handles.filter { !$0.hasEnded(by: .after(.zero)) } }

  var isEmpty: Bool { rest.isEmpty }

  /// Waits for their ends; whether all came by the deadline.
  func haveEnded(by deadline: Deadline) -> Bool {
    handles.allSatisfy { $0.hasEnded(by: deadline) }
  }

  /// Kills them; whether all have ended by the deadline.
  func end(by deadline: Deadline) -> Bool {
    // Whom the system does not let us signal has to end by itself.
    for process in handles { _ = try? process.send(SIGKILL) }
    return haveEnded(by: deadline)
  }
}

extension ServerProcesses: CustomStringConvertible {
  /// `process 12 (postgres: checkpointer), process 13 (postgres: walwriter)`.
  var description: String {
    let rest = rest
    let named = rest.prefix(Self.namedLimit).map { "process \($0.pid) (\(Self.title(of: $0.pid)))" }
    let more = rest.count > named.count ? ["\(rest.count - named.count) more"] : []
    return (named + more).joined(separator: ", ")
  }

  /// What a server's process says that it is: it writes that over its command line.
  private static func title(of pid: Int32) -> String {
    let text = (try? OpenFile.text(of: "/proc/\(pid)/cmdline", limit: 4096)) ?? ""
    let words = text.prefix { $0 != "\0" }.split(separator: " ").joined(separator: " ")
    return words.isEmpty ? "?" : ServerLog.plain(words.prefix(longestTitle))
  }
}
