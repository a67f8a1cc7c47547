import CAllocationCount
import Foundation
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
    let run = RowRun(
      buffer: buffer, columnCount: columns.count, count: rows, cells: CellTable(cells),
      byteCount: bytes.count)
    return RowBatch(run, columns: ColumnList(columns))
  }

  /// What reading one column of every row took.
  private struct Reading {
    let title: String
    /// More than walking over the rows asks for.
    let allocations: Int
    let time: Duration
  }

  private func readings(_ batch: RowBatch) throws(PGError) -> [Reading] {
    func read(_ body: (Row) throws(PGError) -> Void) throws(PGError) -> (Int, Duration) {
      // Once for what is made once.
      try body(batch[0])
      let before = pgkit_allocation_count()
      let started = ContinuousClock.now
      for row in batch { try body(row) }
      return (Int(pgkit_allocation_count() - before), .now - started)
    }
    // What it takes to go over the rows: nothing, when it is optimized.
    _ = try read { _ throws(PGError) in }
    let walking = try read { _ throws(PGError) in }
    let columns = [
      ("int4 as Int32", try read { row throws(PGError) in _ = try row[0, as: Int32.self] }),
      ("int8 as Int", try read { row throws(PGError) in _ = try row[1, as: Int.self] }),
      (
        "timestamptz as PGTimestampTZ",
        try read { row throws(PGError) in _ = try row[3, as: PGTimestampTZ.self] }
      ),
      ("float8 as Double", try read { row throws(PGError) in _ = try row[4, as: Double.self] }),
      (
        "numeric as PGNumeric",
        try read { row throws(PGError) in _ = try row[5, as: PGNumeric.self] }
      ),
      ("text as String", try read { row throws(PGError) in _ = try row[2, as: String.self] }),
    ]
    return columns.map {
      Reading(title: $0.0, allocations: $0.1.0 - walking.0, time: $0.1.1)
    }
  }

  @Test("not one allocation for a column of a row, and one for each String")
  func counts() throws {
    try #require(pgkit_allocation_count() >= 0)
    // As many as `scripts/bench-decoding` asks for, which prints what it took.
    let asked = ProcessInfo.processInfo.environment["PGKIT_DECODED_ROWS"].flatMap { Int($0) }
    let rows = asked ?? 1000
    let readings = try readings(batch(rows: rows))
    if asked != nil {
      for reading in readings {
        let nanoseconds = reading.time / .nanoseconds(1) / Double(rows)
        print("| \(reading.title) | \(reading.allocations) | \(nanoseconds.rounded()) |")
      }
    }
    #expect(readings.dropLast().map(\.allocations) == [0, 0, 0, 0, 0])
    #expect(readings.last?.allocations == rows)
  }
}
