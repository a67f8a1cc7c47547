internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where throwaway clusters are kept.
struct StoragePlace: Sendable, Hashable {
  /// The directory in which theirs are made.
  let base: String
  let isMemory: Bool
  /// Why it is not memory, where that was not asked for.
  let remark: String?

  /// So much must be free in the file system and in the machine, besides what the data takes at first, for
  /// a cluster to go to memory.
  private static let enough: UInt64 = 256 << 20
  /// Below this much, a cluster that is in memory may soon be in trouble.
  static let low: UInt64 = 64 << 20

  /// Chooses a place for clusters of which so many bytes are written at first.
  ///
  /// - Throws: ``PGError`` `-C000` if memory was asked for and has no room, or no directory is usable.
  static func choose(
    _ storage: TemporaryCluster.Storage, for user: ServerUser?, needing size: UInt64 = 0
  ) throws(PGError) -> StoragePlace {
    var remark: String?
    if storage != .disk {
      switch memoryPlace(for: user, size) {
      case .success(let base): return StoragePlace(base: base, isMemory: true, remark: nil)
      case .failure(let obstacle):
        if storage == .memory {
          throw .cluster(
            "there is no room in memory: \(obstacle.reason)",
            hint: "Keep the cluster on disk, or give the machine or the container more memory.")
        }
        remark = obstacle.reason
      }
    }
    return StoragePlace(base: try SocketDirectory.base(for: user), isMemory: false, remark: remark)
  }

  private struct Obstacle: Error { let reason: String }

  private static func memoryPlace(
    for user: ServerUser?, _ size: UInt64
  ) -> Result<String, Obstacle> {
    let (sum, isHuge) = enough.addingReportingOverflow(size)
    let wanted = isHuge ? UInt64.max : sum
    let runtime = user == nil ? ProcessEnvironment.current["XDG_RUNTIME_DIR"] : nil
    var reason = "there is no file system in memory that the server's user may write to"
    for base in ["/dev/shm"] + [runtime].compactMap({ $0 }) {
      guard pgkit_is_in_memory(base) != 0, SocketDirectory.isUsable(base, user, true) else {
        continue
      }
      guard let free = room(in: base), free >= wanted else {
        reason =
          "\(base) has \(megabytes(room(in: base) ?? 0)) free, "
          + "\(megabytes(wanted)) are wanted"
        continue
      }
      return .success(base)
    }
    return .failure(Obstacle(reason: reason))
  }

  /// How many bytes a file system in memory can still take: what it has free, what the machine has,
  /// and what the container may have.
  static func room(in path: String) -> UInt64? {
    var facts = statvfs()
    guard statvfs(path, &facts) == 0 else { return nil }
    let (free, isHuge) = UInt64(facts.f_bavail).multipliedReportingOverflow(
      by: UInt64(facts.f_frsize))
    let limits = [isHuge ? nil : free, availableMemory, containerMemory].compactMap { $0 }
    return limits.min()
  }

  /// What `/proc/meminfo` calls available.
  private static var availableMemory: UInt64? {
    guard let text = try? OpenFile.text(of: "/proc/meminfo", limit: 4096) else { return nil }
    let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
    let kilobytes = line?.split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
    return kilobytes.flatMap { $0 < 1 << 50 ? $0 << 10 : nil }
  }

  /// What is left of a container's allowance, by either version of control groups; what is only
  /// kept from files can be let go.
  private static var containerMemory: UInt64? {
    let folder = "/sys/fs/cgroup"
    let names = [
      (folder, "memory.max", "memory.current"),
      (folder + "/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ]
    for (folder, limit, usage) in names {
      guard let most = number(in: "\(folder)/\(limit)"), let used = number(in: "\(folder)/\(usage)")
      else { continue }
      let cached = cachedFiles("\(folder)/memory.stat")
      let held = used > cached ? used - cached : 0
      return most > held ? most - held : 0
    }
    return nil
  }

  private static func cachedFiles(_ path: String) -> UInt64 {
    guard let text = try? OpenFile.text(of: path, limit: 16_384) else { return 0 }
    return text.split(separator: "\n").reduce(into: 0) { sum, line in
      let words = line.split(separator: " ")
      guard words.count == 2, words[0] == "inactive_file" || words[0] == "active_file",
        let bytes = UInt64(words[1])
      else { return }
      let (total, isHuge) = sum.addingReportingOverflow(bytes)
      if !isHuge { sum = total }
    }
  }

  private static func number(in path: String) -> UInt64? {
    guard let text = try? OpenFile.text(of: path, limit: 64) else { return nil }
    return UInt64(text.filter { !$0.isNewline })
  }

  static func megabytes(_ bytes: UInt64) -> String { "\(bytes >> 20) MB" }
}
