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
  private var keys: [[UInt8]] = []
  private var hasRows = false

  init(asArray: Bool, _ options: PGJSONOptions) {
    (self.asArray, self.options) = (asArray, options)
  }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) {
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

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) throws(Failure) {
    for row in 0..<batch.count {
      if asArray { buffer.append(hasRows ? ",\n" : "\n") }
      hasRows = true
      buffer.append(UInt8(ascii: "{"))
      let refused = buffer.withBytes { bytes in append(batch, row, &bytes) }
      if let refused { throw refused }
      buffer.append(asArray ? "}" : "}\n")
    }
  }

  mutating func end(_ buffer: inout OutputBuffer) {
    if asArray { buffer.append(hasRows ? "\n]\n" : "]\n") }
  }

  /// Appends the members of one row; returns why it cannot be.
  private func append(_ batch: RowBatch, _ row: Int, _ bytes: inout [UInt8]) -> Failure? {
    var refused: Failure?
    batch.forEachValue(inRow: row) { column, value in
      bytes.append(contentsOf: keys[column])
      guard let value else { return bytes += "null".utf8 }
      let shown = batch.columns[column]
      do throws(PGError) {
        try PGValue.appendJSON(of: value, shown.pgType, shown.format, to: &bytes, options)
      } catch { refused = refused ?? Self.refusal(of: shown, error) }
    }
    return refused
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
