/// What went wrong with a transfer, and on which side.
///
/// In py-postgresql: `ProducerFault`, `ReceiverFault` and `CopyFail`.
public enum CopyFault: Error, CustomStringConvertible {
  /// A receiver that failed, and why.
  public struct Receiver: Sendable {
    /// Which one: its place among the receivers that the transfer was made with, from 0.
    public let index: Int
    /// Why.
    public let error: PGError
  }

  /// The rows that one side says it handled.
  public struct Count: Sendable, Hashable {
    /// Which receiver, from 0; `nil` is the producer.
    public let index: Int?
    /// How many rows.
    public let rows: Int
  }

  /// The producer failed: nothing more will come.
  case producer(PGError)
  /// These receivers failed and are out of the transfer; the others have been given all data so far,
  /// and the transfer can go on with them.
  case receivers([Receiver])
  /// No receiver is left.
  case noReceivers
  /// The transfer was to be finished before the producer had given everything.
  case incomplete
  /// The two sides do not agree on how many rows there were.
  case counts([Count])

  /// One line.
  public var description: String {
    switch self {
    case .producer(let error): "the producer failed: \(error)"
    case .receivers(let faults):
      faults.map { "receiver \($0.index + 1) failed: \($0.error)" }.joined(separator: "; ")
    case .noReceivers: "no receivers are left"
    case .incomplete: "the data is not complete"
    case .counts(let counts):
      "the counts of rows differ: "
        + counts.map { "\($0.name) \($0.rows)" }.joined(separator: ", ")
    }
  }
}

extension CopyFault.Count {
  /// The side in words.
  public var name: String { index.map { "receiver \($0 + 1)" } ?? "source" }
}
