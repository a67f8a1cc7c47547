internal import PGKit

/// One part on its way.
final class PartRun {
  let part: CopyPart
  /// The place of the sessions that read and store it.
  let lane: Int
  let transfer: CopyTransfer
  /// The receivers, in the transfer's order.
  let members: [Receiver]
  /// What takes the data at each.
  private let ends: [any CopyReceiver]
  private let checked: ChecksumProducer?
  /// Whether everything was read, and the receivers are to say that they have it.
  private(set) var isEnding = false

  init(
    _ part: CopyPart, lane: Int, from producer: any CopyProducer,
    to ends: [any CopyReceiver], of members: [Receiver]
  ) {
    (self.part, self.lane, self.ends, self.members) = (part, lane, ends, members)
    checked = producer as? ChecksumProducer
    transfer = CopyTransfer(from: producer, to: ends)
  }

  /// Who keeps the others waiting: those that have not taken as much as may wait for them.
  var slowest: [Receiver] {
    transfer.remaining.filter { ends[$0].queuedBytes >= CopyTransfer.queueLimit }.map {
      members[$0]
    }
  }

  /// Hears that everything was read.
  func end() { isEnding = true }

  /// What is to be waited for until all receivers have something to say, where others can go on meanwhile.
  func unanswered() -> [DescriptorWatch] {
    transfer.remaining.flatMap { index -> [DescriptorWatch] in
      guard let end = ends[index] as? LaneReceiver, !end.hasAnswer() else { return [] }
      return end.watches
    }
  }

  /// What is known of it at the source, once it has come to its end.
  var proof: PartProof {
    PartProof(
      part: part, rows: transfer.producedRowCount, bytes: transfer.total.bytes,
      checksum: checked?.checksum)
  }

  /// Tells those who have it all how much that was.
  func noteStored() {
    for index in transfer.remaining {
      // Where rows are refused, there is one part.
      let rows = transfer.rowCount(ofReceiver: index).map { $0 - members[index].rejectedRows }
      members[index].stored(
        StoredPart(number: part.number, lane: lane, rows: rows, bytes: transfer.total.bytes))
    }
  }
}
