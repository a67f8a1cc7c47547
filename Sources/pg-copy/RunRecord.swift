internal import PGKit

/// What is known of a run at one moment, for its summary.
struct RunRecord {
  let identity: RunIdentity
  /// When it began.
  let start: ContinuousClock.Instant
  /// What the source is called.
  let source: String
  /// The name of the snapshot that is read, if it has one.
  let snapshot: String?
  let format: CopyFormat
  /// How many parts there are to copy; 0 as long as that is not known.
  let partCount: Int
  /// What is known of those that were read to their ends.
  let proofs: [PartProof]
  /// How much was moved.
  let bytes: Int
  let receivers: ReceiverSet

  /// Whether all parts were read to their ends: what is known of some says nothing about all.
  private var isComplete: Bool { partCount > 0 && proofs.count == partCount }

  /// How many rows the source has given; `nil` where that is not known.
  var rows: Int? {
    isComplete ? proofs.rows ?? receivers.lazy.compactMap(\.givenRows).first : nil
  }

  /// How much they are, or has been moved so far.
  var moved: Int { isComplete ? proofs.reduce(0) { $0 + $1.bytes } : bytes }

  /// The sum of all rows, where it was asked for.
  var checksum: RowChecksum? { isComplete ? proofs.checksum : nil }
}
