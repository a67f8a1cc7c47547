internal import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The temporary clusters that this process has to close when it exits.
///
/// Their supervisors would see to that too, but only after the exit; whoever waits for the process
/// should find nothing left.
enum LivingClusters {
  private struct Entry {
    weak var cluster: TemporaryCluster?
  }

  private static let entries = Mutex<[ObjectIdentifier: Entry]>([:])
  private static let registration: Int32 = atexit { LivingClusters.closeAll() }

  static func add(_ cluster: TemporaryCluster) {
    _ = registration
    let identifier = ObjectIdentifier(cluster)
    entries.withLock { [weak cluster] in $0[identifier] = Entry(cluster: cluster) }
  }

  static func remove(_ identifier: ObjectIdentifier) {
    entries.withLock { $0[identifier] = nil }
  }

  private static func closeAll() {
    for cluster in entries.withLock({ $0.values.compactMap(\.cluster) }) {
      // Nobody is left who could be told; the supervisor tries again.
      do throws(PGError) { try cluster.close() } catch {}
    }
  }
}
