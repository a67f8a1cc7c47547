internal import PGCommandLine
internal import PGKit

/// A format with a separator between values and a row on each line, as CSV and TSV are.
protocol SeparatedForm {
  static var separator: UInt8 { get }

  /// Whether there may be something among sixteen bytes that cannot stand as it is.
  static func isMarked(_ words: RoomWriter.Words) -> Bool

  /// Whether a value cannot stand as it is, or would be taken for something else than itself.
  ///
  /// - Parameters:
  ///   - hasMark: Whether ``isMarked(_:)`` was true of it.
  ///   - isAlone: Whether it is the only one of its row.
  static func mustChange(
    _ value: UnsafeRawBufferPointer, hasMark: Bool, isAlone: Bool, _ null: UnsafeRawBufferPointer
  ) -> Bool

  /// Writes a value that cannot stand as it is: two bytes at most for each that ``isDoubled(_:)``, one for
  /// each other, and two more.
  static func put(changed value: UnsafeRawBufferPointer, _ writer: inout RoomWriter)

  /// Whether a byte may become two.
  static func isDoubled(_ byte: UInt8) -> Bool
}

/// Values with a separator between them, one row a line, with or without a header.
struct SeparatedPrinter: RowPrinter {
  /// The forms there are.
  enum Kind { case csv, tsv }

  private let kind: Kind
  private let nullText: [UInt8]
  private let hasHeader: Bool

  init(_ kind: Kind, nullText: String, hasHeader: Bool) {
    (self.kind, self.hasHeader) = (kind, hasHeader)
    self.nullText = Array(nullText.utf8)
  }

  // A form is chosen once for a batch, so that its functions are inlined where they are used for each value.

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) {
    guard hasHeader else { return }
    let names = columns.map(\.name)
    nullText.withUnsafeBytes { null in
      switch kind {
      case .csv: SeparatedLines<CSVForm>.append(header: names, null, to: &buffer)
      case .tsv: SeparatedLines<TSVForm>.append(header: names, null, to: &buffer)
      }
    }
  }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) {
    nullText.withUnsafeBytes { null in
      batch.withValues { values in
        switch kind {
        case .csv: SeparatedLines<CSVForm>.append(values, null, to: &buffer)
        case .tsv: SeparatedLines<TSVForm>.append(values, null, to: &buffer)
        }
      }
    }
  }
}

/// Writes lines of one form.
///
/// All is static, and the null text is lent: nothing is retained for a value.
private enum SeparatedLines<Form: SeparatedForm> {
  static func append(
    header names: [String], _ null: UnsafeRawBufferPointer, to buffer: inout OutputBuffer
  ) {
    let most = names.reduce(1) { $0 + 2 * $1.utf8.count + 3 }
    buffer.write(atMost: most) { writer in
      for (index, name) in names.enumerated() {
        if index > 0 { writer.put(Form.separator) }
        var name = name
        name.withUTF8 {
          put(UnsafeRawBufferPointer($0), isAlone: names.count == 1, null, &writer)
        }
      }
      writer.put(UInt8(ascii: "\n"))
    }
  }

  static func append(
    _ values: RowValues, _ null: UnsafeRawBufferPointer, to buffer: inout OutputBuffer
  ) {
    buffer.write(atMost: mostBytes(of: values, null)) { writer in put(values, null, &writer) }
  }

  /// A batch of more bytes is looked at twice, instead of making room for twice as much.
  private static var usualSize: Int { 1 << 20 }

  /// The most that rows can become: each value with its quotes or the null text, what follows it, and what
  /// is doubled in it.
  private static func mostBytes(of values: RowValues, _ null: UnsafeRawBufferPointer) -> Int {
    let size = values.byteCount
    let (rows, columns) = (values.rowCount, values.columnCount)
    return size + (size <= usualSize ? size : doubledBytes(of: values))
      + rows * (columns * (max(null.count, 2) + 1) + 1)
  }

  private static func doubledBytes(of values: RowValues) -> Int {
    var count = 0
    for index in 0..<values.rowCount * values.columnCount {
      guard let value = values[index] else { continue }
      for byte in value where Form.isDoubled(byte) { count += 1 }
    }
    return count
  }

  private static func put(
    _ values: RowValues, _ null: UnsafeRawBufferPointer, _ writer: inout RoomWriter
  ) {
    let isAlone = values.columnCount == 1
    var index = 0
    for _ in 0..<values.rowCount {
      for column in 0..<values.columnCount {
        if column > 0 { writer.put(Form.separator) }
        if let value = values[index] {
          put(value, isAlone: isAlone, null, &writer)
        } else {
          writer.put(null)
        }
        index &+= 1
      }
      writer.put(UInt8(ascii: "\n"))
    }
  }

  @inline(__always)
  private static func put(
    _ value: UnsafeRawBufferPointer, isAlone: Bool, _ null: UnsafeRawBufferPointer,
    _ writer: inout RoomWriter
  ) {
    let hasMark = writer.put(value, lookingFor: Form.isMarked)
    guard hasMark || value.count == null.count || isAlone else { return }
    guard Form.mustChange(value, hasMark: hasMark, isAlone: isAlone, null) else { return }
    writer.takeBack(value.count)
    Form.put(changed: value, &writer)
  }
}
