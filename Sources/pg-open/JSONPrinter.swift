internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// One JSON object for each row: on a line of its own, or as the elements of one array.
///
/// Keys are in the order of the columns; a name that comes again gets a number (`a`, `a_2`), because
/// readers of JSON keep only one of two equal keys.
struct JSONPrinter: RowPrinter {
  private let asArray: Bool
  private var keys: [[UInt8]] = []
  private var hasRows = false
  private var buffer = OutputBuffer()

  init(asArray: Bool) { self.asArray = asArray }

  mutating func begin(_ columns: [Column]) {
    keys = Self.distinct(columns.map(\.name)).enumerated().map { index, name in
      var key = OutputBuffer()
      if index > 0 { key.append(UInt8(ascii: ",")) }
      JSONText.append(name, to: &key)
      key.append(UInt8(ascii: ":"))
      return key.bytes
    }
    hasRows = false
    if asArray { buffer.append(UInt8(ascii: "[")) }
  }

  mutating func print(_ batch: RowBatch) throws {
    for row in 0..<batch.count {
      if asArray { buffer.append(hasRows ? ",\n" : "\n") }
      hasRows = true
      buffer.append(UInt8(ascii: "{"))
      try batch.forEachValue(inRow: row) { column, value in
        buffer.append(keys[column])
        guard let value else { return buffer.append("null") }
        let shown = batch.columns[column]
        do throws(PGError) {
          try buffer.withBytes { (bytes: inout [UInt8]) throws(PGError) in
            try PGValue.appendJSON(of: value, shown.pgType, shown.format, to: &bytes)
          }
        } catch { throw refused(shown, error) }
      }
      buffer.append(asArray ? "}" : "}\n")
    }
    try buffer.drain()
  }

  mutating func end() throws {
    if asArray { buffer.append(hasRows ? "\n]\n" : "]\n") }
    try buffer.drain()
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

  private func refused(_ column: Column, _ error: PGError) -> Failure {
    PGError(
      code: error.code, message: "column \"\(column.name)\" is no JSON text: \(error.message)",
      fault: error.fault, hint: error.hint
    ).failure(of: OpenCommand.program, status: .localFailure)
  }
}
