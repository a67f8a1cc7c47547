internal import PGKit

/// Reads back what a receiver has stored in its transaction, and sums it up.
enum Verification {
  /// The checksum of the rows that this transaction has stored.
  static func checksum(
    of receiver: Receiver, _ format: CopyFormat
  ) throws(PGError) -> RowChecksum {
    var sum = RowChecksum()
    for lane in receiver.lanes {
      let connection = try lane.session()
      let stream = try connection.copyOut(try query(receiver.table).copyOut(format))
      var part = CopyChecksum(format)
      while let chunk = try stream.next() { part.add(.chunk(chunk)) }
      sum.add(part.sum)
    }
    return sum
  }

  /// The rows whose transaction is this one.
  private static func query(_ table: CopyTable) throws(PGError) -> CopySource {
    .query(
      """
      SELECT \(try table.quotedColumns()) FROM \(try table.quotedName())
      WHERE xmin::pg_catalog.text::pg_catalog.int8 = pg_catalog.txid_current() & 4294967295
      """)
  }
}
