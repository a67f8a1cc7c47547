#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension TemporaryCluster {
  /// Where the data is kept.
  public enum Storage: String, Sendable, CaseIterable {
    /// In memory if there is room, else on disk.
    case automatic
    /// In a file system in memory, or not at all.
    case memory
    /// On disk.
    case disk
  }

  /// What a temporary cluster's settings are made for.
  public enum Preset: String, Sendable, CaseIterable {
    /// Data that nobody will miss: nothing is forced to the disk, nothing is kept for recovery or
    /// replicas, memory is small, many may connect (``TemporaryCluster/testSettings``).
    case test
    /// The server's own settings.
    case safe
    /// As ``test``, but with logical decoding and replicas.
    case logical

    /// The settings.
    public var settings: [ConnectionOptions.Setting] {
      switch self {
      case .test: TemporaryCluster.testSettings
      case .safe: []
      case .logical: TemporaryCluster.testSettings + TemporaryCluster.logicalSettings
      }
    }
  }

  /// Settings for data that nobody will miss.
  ///
  /// The table of locks is four times the server's own. Half of it is written at each start: a larger one
  /// takes longer to make, and to give back, than it takes to copy a database.
  public static let testSettings = settings([
    ("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off"),
    ("wal_level", "minimal"), ("max_wal_senders", "0"), ("shared_buffers", "12MB"),
    ("max_connections", "200"), ("jit", "off"), ("log_min_messages", "warning"),
    ("autovacuum_naptime", "1h"), ("min_wal_size", "32MB"), ("max_wal_size", "128MB"),
    ("max_locks_per_transaction", "128"),
  ])

  private static let logicalSettings = settings([
    ("wal_level", "logical"), ("max_wal_senders", "10"), ("max_replication_slots", "10"),
  ])

  /// What killed servers would leave outside the cluster's directory is kept inside.
  static let tidySettings = settings([("dynamic_shared_memory_type", "mmap")])

  private static func settings(_ pairs: [(String, String)]) -> [ConnectionOptions.Setting] {
    pairs.map { ConnectionOptions.Setting($0.0, $0.1) }
  }
}
