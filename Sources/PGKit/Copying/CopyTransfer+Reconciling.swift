/// What a receiver that failed was not given.
struct WithheldPiece {
  /// The piece that it refused.
  let piece: CopyPiece
  /// Its number among all pieces, from 0.
  let number: Int
  /// What came before it of the row in whose middle it begins.
  let rowBeginning: [UInt8]
  /// What stands before the first row.
  let header: [UInt8]
}

extension CopyTransfer {
  /// Takes a receiver that failed back: it is given what it refused, and takes part again.
  ///
  /// That is for a receiver that can go on, such as a closure that had no room for a moment. A
  /// statement that a server has ended cannot: its data is replayed
  /// (``replay(_:from:to:)``).
  ///
  /// - Throws: ``CopyFault/receivers(_:)``: it fails again, or others have been given more since, so that
  ///   it would miss some.
  ///
  /// In py-postgresql: `CopyManager.reconcile`.
  public func reconcile(_ index: Int) throws(CopyFault) {
    let missed = try withheldPiece(of: index)
    try give(missed.piece, to: index)
  }

  /// Lets another receiver take the place of one that failed: it is given the row in which that failed
  /// from its beginning, and everything after it.
  ///
  /// Before it stands what stood before the first row, as the binary format needs it.
  ///
  /// - Throws: as ``reconcile(_:)``.
  public func reconcile(_ index: Int, with receiver: any CopyReceiver) throws(CopyFault) {
    let missed = try withheldPiece(of: index)
    replaceReceiver(index, by: receiver)
    if missed.number > 0, !missed.header.isEmpty { try give(.bytes(missed.header), to: index) }
    if !missed.rowBeginning.isEmpty { try give(.bytes(missed.rowBeginning), to: index) }
    try give(missed.piece, to: index)
  }

  /// Gives a receiver that failed everything once more.
  ///
  /// The producer must give the same data, from a source's snapshot that is still held, for example. The
  /// receiver then counts as one that took part.
  ///
  /// - Throws: ``CopyFault``; the receiver is then still out.
  public func replay(
    _ index: Int, from producer: any CopyProducer, to receiver: any CopyReceiver
  ) throws(CopyFault) {
    try requireOut(index)
    let again = CopyTransfer(from: producer, to: [receiver])
    try again.run()
    if let rows = producedRowCount, let given = producer.rowCount, rows != given {
      throw .counts([.init(index: nil, rows: rows), .init(index: index, rows: given)])
    }
    replaceReceiver(index, by: receiver)
    counts[index] = again.rowCount(ofReceiver: 0)
    rejoin(index)
  }

  /// Takes a receiver out that has not finished, and has it forget the data.
  public func drop(_ index: Int, _ reason: String) {
    guard remaining.contains(index), phase == .running || phase == .exhausted else { return }
    remaining.removeAll { $0 == index }
    receivers[index].fail(reason)
  }

  private func withheldPiece(of index: Int) throws(CopyFault) -> WithheldPiece {
    try requireOut(index)
    guard let missed = withheld[index] else {
      throw impossible(index, "it is not known which data it was not given")
    }
    guard missed.number == pieceCount - 1, phase == .running else {
      throw impossible(index, "the others have been given more since")
    }
    return missed
  }

  private func requireOut(_ index: Int) throws(CopyFault) {
    guard receivers.indices.contains(index), !remaining.contains(index) else {
      throw impossible(index, "it takes part, or there is none")
    }
  }

  private func give(_ piece: CopyPiece, to index: Int) throws(CopyFault) {
    do throws(PGError) { try receivers[index].write(piece) } catch {
      throw .receivers([.init(index: index, error: error)])
    }
    withheld[index] = nil
    rejoin(index)
  }

  private func rejoin(_ index: Int) {
    if !remaining.contains(index) { remaining = (remaining + [index]).sorted() }
  }

  private func impossible(_ index: Int, _ reason: String) -> CopyFault {
    let error = PGError.operation(
      "receiver \(index + 1) cannot be reconciled: \(reason)",
      hint: "replay the data from its beginning")
    return .receivers([.init(index: index, error: error)])
  }
}
