internal import CSpawn

/// The shared memory that killed servers of a data directory leave behind, known while the directory
/// is there.
struct SharedMemory: Sendable {
  private let data: pgkit_data_directory

  /// Takes the directory's identity, and what its `postmaster.pid` names; `nil` if there is none.
  init?(of directory: String) {
    var data = pgkit_data_directory()
    let path = AbsolutePath.resolved(directory) ?? directory
    guard pgkit_identify_data(path, &data) == 0 else { return nil }
    self.data = data
  }

  /// Removes what nobody uses any more, the dynamic segments included.
  func remove() {
    var data = data
    pgkit_remove_segments_of(&data)
  }
}
