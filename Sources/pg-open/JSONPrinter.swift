internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// One JSON object for each row: on a line of its own, or as the elements of one array.
///
/// Keys are in the order of the columns; a name that comes again gets a number (`a`, `a_2`), because
/// readers of JSON keep only one of two equal keys.
struct JSONPrinter: RowPrinter {
  private let asArray: Bool
  private let options: PGJSONOptions
  /// The columns' keys with their colons, and commas in front, one behind the other.
  private var keys: [UInt8] = []
  private var keyEnds: [Int] = []
  private var columns: [Column] = []
  /// By themselves: a column is larger, and its parts would be retained for each value.
  private var types: [PGType] = []
  private var hasRows = false

  init(asArray: Bool, _ options: PGJSONOptions) {
    (self.asArray, self.options) = (asArray, options)
  }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) {
    var key = OutputBuffer()
    keyEnds = []
    for (index, name) in Self.distinct(columns.map(\.name)).enumerated() {
      if index > 0 { key.append(UInt8(ascii: ",")) }
      JSONText.append(name, to: &key)
      key.append(UInt8(ascii: ":"))
      keyEnds.append(key.bytes.count)
    }
    keys = key.bytes
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
    return keys.withUnsafeBytes { keys in
      keyEnds.withUnsafeBufferPointer { keyEnds in
        types.withUnsafeBufferPointer { types in
          var index = 0
          for row in 0..<values.rowCount {
            if asArray { bytes += (hadRows || row > 0 ? ",\n" : "\n").utf8 }
            bytes.append(UInt8(ascii: "{"))
            var keyStart = 0
            for column in 0..<values.columnCount {
              let keyEnd = keyEnds[column]
              bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: keys[keyStart..<keyEnd]))
              keyStart = keyEnd
              if let value = values[index] {
                do throws(PGError) {
                  try PGValue.appendJSON(of: value, types[column], .text, to: &bytes, options)
                } catch { return Self.refusal(of: columns[column], error) }
              } else {
                bytes += "null".utf8
              }
              index += 1
            }
            bytes.append(UInt8(ascii: "}"))
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

  private static func distinct(_ names: [String]) -> [String] {
    var counts: [String: Int] = [:]
    var taken = Set(names)
    return names.map { name in
      let count = counts[name, default: 0] + 1
      counts[name] = count
      if count == 1 { return name }
      var number = count
      while taken.contains("\(name)_\(number)") { number += 1 }
      taken.insert("\(name)_\(number)")
      return "\(name)_\(number)"
    }
  }
}
