internal import PGKit

/// A producer whose rows are summed up as they pass.
final class ChecksumProducer: CopyProducer {
  private let inner: any CopyProducer
  private var summing: CopyChecksum
  var checksum: RowChecksum { summing.sum }

  init(_ inner: any CopyProducer, _ format: CopyFormat) {
    (self.inner, summing) = (inner, CopyChecksum(format))
  }

  func next() throws(PGError) -> CopyPiece? {
    let piece = try inner.next()
    if let piece { summing.add(piece) }
    return piece
  }

  func nextIfThere() throws(PGError) -> CopyArrival {
    let arrival = try inner.nextIfThere()
    if case .piece(let piece) = arrival { summing.add(piece) }
    return arrival
  }

  var givesPiecesAway: Bool { inner.givesPiecesAway }
  var isDrained: Bool { inner.isDrained }
  var watches: [DescriptorWatch] { inner.watches }
  var rowCount: Int? { inner.rowCount }
  func stop() { inner.stop() }
}
