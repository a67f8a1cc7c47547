internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// One JSON object for each row: on a line of its own, or as the elements of one array.
///
/// Keys are in the order of the columns; ``DuplicateForm`` says what becomes of a name that comes again.
struct JSONPrinter: RowPrinter {
  private let asArray: Bool
  private let options: PGJSONOptions
  private let duplicates: DuplicateForm
  private var keys = JSONKeys()
  private var columns: [Column] = []
  /// By themselves: a column is larger, and its parts would be retained for each value.
  private var types: [PGType] = []
  private var hasRows = false

  init(asArray: Bool, _ options: PGJSONOptions, _ duplicates: DuplicateForm) {
    (self.asArray, self.options, self.duplicates) = (asArray, options, duplicates)
  }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) throws(Failure) {
    keys = try JSONKeys(columns, duplicates)
    self.columns = columns
    types = columns.map(\.pgType)
    hasRows = false
    if asArray { buffer.append(UInt8(ascii: "[")) }
  }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) throws(Failure) {
    let before = hasRows
    let refused = buffer.withBytes { bytes in
      batch.withValues { values in append(values, before, &bytes) }
    }
    hasRows = before || !batch.isEmpty
    if let refused { throw refused }
  }

  /// Appends rows; returns why that cannot be.
  private func append(
    _ values: RowValues, _ hadRows: Bool, _ bytes: inout [UInt8]
  ) -> Failure? {
    let options = options
    let asArray = asArray
    // Lent, so that nothing is retained for a value.
    let ending = keys.ending
    return keys.texts.withUnsafeBytes { texts in
      keys.places.withUnsafeBufferPointer { places in
        types.withUnsafeBufferPointer { types in
          var first = 0
          for row in 0..<values.rowCount {
            let start = bytes.count
            if asArray { bytes += (hadRows || row > 0 ? ",\n" : "\n").utf8 }
            bytes.append(UInt8(ascii: "{"))
            var keyStart = 0
            for (column, keyEnd) in places {
              bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: texts[keyStart..<keyEnd]))
              keyStart = keyEnd
              if let value = values[first + column] {
                do throws(PGError) {
                  try PGValue.appendJSON(of: value, types[column], .text, to: &bytes, options)
                } catch {
                  bytes.removeLast(bytes.count - start)
                  return Self.refusal(of: columns[column], error)
                }
              } else {
                bytes += "null".utf8
              }
            }
            bytes.append(contentsOf: ending)
            first += values.columnCount
            if !asArray { bytes.append(UInt8(ascii: "\n")) }
          }
          return nil
        }
      }
    }
  }

  mutating func end(_ buffer: inout OutputBuffer) {
    if asArray { buffer.append(hasRows ? "\n]\n" : "]\n") }
  }

  static func refusal(of column: Column, _ error: PGError) -> Failure {
    PGError(
      code: error.code, message: "column \"\(column.name)\" is no JSON text: \(error.message)",
      fault: error.fault, hint: error.hint
    ).failure(of: OpenCommand.program, status: .localFailure)
  }
}
