internal import PGKit

/// A part of what is copied: some blocks of a table, or all there is.
struct CopyPart {
  /// Its number in the run, from 1.
  let number: Int
  let source: CopySource
  /// The table's blocks that it is, without an end for the last part; `nil` for all there is.
  let blocks: (first: Int, next: Int?)?

  /// What it is, for messages; `nil` where it is all there is.
  var place: String? {
    guard let blocks else { return nil }
    let range = blocks.next.map { "\(blocks.first) to \($0 - 1)" } ?? "\(blocks.first) and later"
    return "part \(number): blocks \(range) of the source's table"
  }
}

/// What is known of a part at its source.
struct PartProof {
  let part: CopyPart
  /// How many rows the source says that it gave.
  let rows: Int?
  let bytes: Int
  /// The sum of the rows as they passed, where it was asked for.
  let checksum: RowChecksum?
}

/// A part at a receiver.
struct StoredPart {
  /// Its number in the run.
  let number: Int
  /// The session that stored it, from 0.
  let lane: Int
  /// How many rows the receiver says that it stored.
  let rows: Int?
  let bytes: Int
  /// The sum of the rows as the receiver gives them back, where it was asked for.
  var checksum: RowChecksum?
}

extension [PartProof] {
  /// The rows of all parts; `nil` where the source did not say.
  var rows: Int? {
    let known = compactMap(\.rows)
    return known.isEmpty ? nil : known.reduce(0) { $0.addingRows($1) }
  }

  /// The sum over all parts.
  var checksum: RowChecksum? {
    let known = compactMap(\.checksum)
    return known.isEmpty ? nil : known.reduce(into: RowChecksum()) { $0.add($1) }
  }

  /// The proof of one part.
  func part(_ number: Int) -> PartProof? { first { $0.part.number == number } }
}
