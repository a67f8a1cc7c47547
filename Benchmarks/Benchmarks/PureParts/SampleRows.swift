@testable import PGKit

/// Rows of (int4, int8, text, timestamptz, float8, numeric), as a server sends them in binary.
enum SampleRows {
  static let columns: [(TypeOID, [UInt8])] = [
    (.int4, [0, 0, 0, 7]), (.int8, [0, 0, 0, 0, 0, 0, 1, 0]),
    (.text, Array("a text of more than fifteen bytes".utf8)),
    (.timestamptz, [0, 2, 0xB9, 0, 0, 0, 0, 0]), (.float8, [0x40, 9, 0x21, 0xFB, 0, 0, 0, 0]),
    // 123456789.1234
    (.numeric, [0, 4, 0, 2, 0, 0, 0, 4, 0, 1, 0x09, 0x29, 0x1A, 0x85, 0x04, 0xD2]),
  ]
  private static let names = ["a", "b", "c", "d", "e", "f"]

  /// So many DataRow messages, one behind the other.
  static func messages(_ count: Int) -> [UInt8] {
    var writer = ByteWriter()
    for _ in 0..<count {
      writer.writeByte(BackendTag.dataRow.rawValue)
      writer.writeLengthPrefixed(includingItself: true) { body in
        body.writeInteger(UInt16(columns.count))
        for (_, value) in columns {
          body.writeInteger(UInt32(value.count))
          body.writeBytes(value)
        }
      }
    }
    return writer.bytes
  }

  /// So many rows, as they are handed to a program.
  static func batch(_ count: Int) throws -> RowBatch {
    let bytes = messages(count)
    let buffer = ReceiveBuffer(capacity: bytes.count)
    buffer.free.copyBytes(from: bytes)
    buffer.received(bytes.count)
    let found = buffer.scanMessages(
      tag: BackendTag.dataRow.rawValue, headerSize: Frame.headerSize, bodyLimit: 1 << 30)
    guard
      let cells = buffer.locateFields(
        in: found, headerSize: Frame.headerSize, columns: columns.count)
    else { throw PGError.operation("the sample rows are malformed") }
    let run = RowRun(
      buffer: buffer, columnCount: columns.count, count: count, cells: cells, byteCount: bytes.count
    )
    return RowBatch(run, columns: try columnList())
  }

  private static func columnList() throws -> ColumnList {
    var writer = ByteWriter()
    writer.writeInteger(UInt16(columns.count))
    for (name, column) in zip(names, columns) {
      writer.writeTerminated(name)
      writer.writeInteger(0 as UInt32)
      writer.writeInteger(0 as UInt16)
      writer.writeInteger(column.0.rawValue)
      writer.writeInteger(-1 as Int16)
      writer.writeInteger(-1 as Int32)
      writer.writeInteger(1 as Int16)
    }
    let fields = try ByteReader.over(writer.bytes) { reader throws(OutOfBytes) in
      try RowDescription(decoding: &reader).fields
    }
    return ColumnList(
      fields.map { Column($0, PGType(TypeOID(rawValue: $0.typeOID)), format: .binary) })
  }
}
