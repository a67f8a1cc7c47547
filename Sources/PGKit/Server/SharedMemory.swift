#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The System V shared memory that a killed server leaves behind.
enum SharedMemory {
  /// Removes the segment if it is the one that was named and nobody uses it any more.
  static func remove(_ segment: PostmasterFile.SharedMemory?) {
    guard let segment else { return }
    var status = shmid_ds()
    guard shmctl(segment.identifier, IPC_STAT, &status) == 0, status.shm_nattch == 0 else { return }
    #if canImport(Glibc)
      guard UInt(truncatingIfNeeded: status.shm_perm.__key) == segment.key else { return }
    #endif
    _ = shmctl(segment.identifier, IPC_RMID, nil)
  }
}
