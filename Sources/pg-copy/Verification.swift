internal import PGKit

/// Reads back what a receiver has stored in its transactions, and compares it part by part with what was
/// read at the source.
struct Verification {
  private let receiver: Receiver
  private let format: CopyFormat
  private let proofs: [PartProof]
  /// In which zone the source has written its times; `nil` if it is no server.
  private let timeZone: String?

  init(
    _ receiver: Receiver, _ format: CopyFormat, _ proofs: [PartProof], timeZone: String?
  ) {
    (self.receiver, self.format, self.proofs) = (receiver, format, proofs)
    self.timeZone = timeZone
  }

  /// Compares, and leaves with each of the receiver's parts the sum of what was stored.
  ///
  /// - Parameter isMerged: Whether the rows of a session's parts came into the table together.
  /// - Throws: ``PGError`` 22000 if something else was stored.
  func run(isMerged: Bool) throws(PGError) {
    var total = RowChecksum()
    for (index, lane) in receiver.lanes.enumerated() {
      let stored = try sums(at: lane)
      for sum in stored { total.add(sum) }
      let parts = receiver.parts.indices.filter { receiver.parts[$0].lane == index }
      if isMerged {
        try compareAll(parts, stored)
      } else {
        try compareEach(parts, stored)
      }
    }
    receiver.verified(total)
  }

  /// Each COPY is a statement of its own, and one that stored nothing is not seen.
  private func compareEach(_ parts: [Int], _ stored: [RowChecksum]) throws(PGError) {
    var rest = stored[...]
    for index in parts {
      let number = receiver.parts[index].number
      let expected = proofs.part(number)?.checksum ?? RowChecksum()
      let sum = expected.count == 0 ? RowChecksum() : rest.popFirst() ?? RowChecksum()
      receiver.verified(sum, ofPartAt: index)
      guard sum == expected else { throw difference(sum, expected, of: number) }
    }
    if let more = rest.first { throw difference(more, RowChecksum(), of: nil) }
  }

  private func compareAll(_ parts: [Int], _ stored: [RowChecksum]) throws(PGError) {
    let sum = stored.reduce(into: RowChecksum()) { $0.add($1) }
    let expected = parts.reduce(into: RowChecksum()) { total, index in
      if let part = proofs.part(receiver.parts[index].number)?.checksum { total.add(part) }
    }
    if let only = parts.first, parts.count == 1 { receiver.verified(sum, ofPartAt: only) }
    guard sum == expected else { throw difference(sum, expected, of: nil) }
  }

  private func difference(
    _ stored: RowChecksum, _ expected: RowChecksum, of part: Int?
  ) -> PGError {
    let name = part.flatMap { proofs.count > 1 ? " of part \($0)" : nil } ?? ""
    return PGError(
      code: .dataException,
      message:
        "what was stored\(name) is not what was read: \(stored) (\(stored.count) rows) instead of "
        + "\(expected) (\(expected.count) rows)",
      fault: .server,
      hint: "a trigger, a rule or a column of another type may change values; or leave --verify out"
    )
  }

  /// The sums of what the session's transaction has stored, in the order of its statements.
  private func sums(at lane: ServerEnd) throws(PGError) -> [RowChecksum] {
    let connection = try lane.session()
    // What the table's own triggers and defaults see is left as it is.
    let own = connection.reportedSetting("TimeZone")
    if let timeZone, timeZone != own { try Self.set(timeZone, connection) }
    defer { if let own, let timeZone, timeZone != own { try? Self.set(own, connection) } }
    let stream = try connection.copyOut(try query(receiver.table).copyOut(format))
    var sums = StatementSums(format)
    while let chunk = try stream.next() { try sums.add(.chunk(chunk)) }
    return sums.inOrder
  }

  private static func set(_ timeZone: String, _ connection: Connection) throws(PGError) {
    try connection.execute("SET LOCAL TimeZone = \(try SQL.quoteLiteral(timeZone))")
  }

  /// The rows whose transaction is this one, each with the number of its statement.
  private func query(_ table: CopyTable) throws(PGError) -> CopySource {
    .query(
      """
      SELECT \(try table.quotedColumns()), cmin FROM \(try table.quotedName())
      WHERE xmin::pg_catalog.text::pg_catalog.int8 = pg_catalog.txid_current() & 4294967295
      """)
  }
}
