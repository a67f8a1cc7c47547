import CAllocationCount
import Testing

@testable import PGKit

/// Reading columns asks for no memory, other than for the Strings that somebody asks for.
struct AllocationTests {
  /// Rows of (int4, int8, text, timestamptz, float8, numeric), as a server sends them.
  private static let columns: [(TypeOID, [UInt8])] = [
    (.int4, [0, 0, 0, 7]), (.int8, [0, 0, 0, 0, 0, 0, 1, 0]),
    (.text, Array("a text of more than fifteen bytes".utf8)),
    (.timestamptz, [0, 2, 0xB9, 0, 0, 0, 0, 0]), (.float8, [0x40, 9, 0x21, 0xFB, 0, 0, 0, 0]),
    // 123456789.1234
    (.numeric, [0, 4, 0, 2, 0, 0, 0, 4, 0, 1, 0x09, 0x29, 0x1A, 0x85, 0x04, 0xD2]),
  ]

  private static let names = ["a", "b", "c", "d", "e", "f"]

  private func batch(rows: Int) throws -> RowBatch {
    var bytes: [UInt8] = []
    var cells: [Cell] = []
    for _ in 0..<rows {
      for (_, value) in Self.columns {
        cells.append(Cell(offset: UInt32(bytes.count), length: Int32(value.count)))
        bytes += value
      }
    }
    var description = ByteWriter()
    description.writeInteger(UInt16(Self.columns.count))
    for (name, column) in zip(Self.names, Self.columns) {
      description.writeTerminated(name)
      description.writeInteger(0 as UInt32)
      description.writeInteger(0 as UInt16)
      description.writeInteger(column.0.rawValue)
      description.writeInteger(-1 as Int16)
      description.writeInteger(-1 as Int32)
      description.writeInteger(1 as Int16)
    }
    let fields = try ByteReader.over(description.bytes) { reader throws(OutOfBytes) in
      try RowDescription(decoding: &reader).fields
    }
    let columns = fields.map {
      Column($0, PGType(TypeOID(rawValue: $0.typeOID)), format: .binary)
    }
    let buffer = ReceiveBuffer(capacity: bytes.count)
    buffer.free.copyBytes(from: bytes)
    buffer.received(bytes.count)
    var run = RowRun(buffer: buffer, columnCount: columns.count)
    (run.count, run.cells) = (rows, cells)
    return RowBatch(run, columns: ColumnList(columns))
  }

  @Test("not one allocation for a column of a thousand rows, and one for each String")
  func counts() throws {
    try #require(pgkit_allocation_count() >= 0)
    let rows = 1000
    let batch = try batch(rows: rows)
    func allocations(_ body: (Row) throws(PGError) -> Void) throws(PGError) -> Int {
      // Once for what is made once.
      try body(batch[0])
      let before = pgkit_allocation_count()
      for row in batch { try body(row) }
      return Int(pgkit_allocation_count() - before)
    }
    // What it takes to go over the rows: nothing, when it is optimized.
    _ = try allocations { _ throws(PGError) in }
    let walking = try allocations { _ throws(PGError) in }
    let counts = [
      try allocations { row throws(PGError) in _ = try row[0, as: Int32.self] },
      try allocations { row throws(PGError) in _ = try row[1, as: Int.self] },
      try allocations { row throws(PGError) in _ = try row[3, as: PGTimestampTZ.self] },
      try allocations { row throws(PGError) in _ = try row[4, as: Double.self] },
      try allocations { row throws(PGError) in _ = try row[5, as: PGNumeric.self] },
    ].map { $0 - walking }
    let strings = try allocations { row throws(PGError) in _ = try row[2, as: String.self] }
    #expect(counts == [0, 0, 0, 0, 0])
    #expect(strings - walking == rows)
  }
}
