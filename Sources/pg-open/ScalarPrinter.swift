internal import PGCommandLine
internal import PGKit

/// The one value of a result, as it is, on a line; as JSON where that is asked for.
///
/// That there is only one is for ``Expectation`` to see.
struct ScalarPrinter: RowPrinter {
  private let nullText: String
  /// `nil` for the text as it is.
  private let json: PGJSONOptions?

  init(nullText: String, json: PGJSONOptions?) { (self.nullText, self.json) = (nullText, json) }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) throws(Failure) {
    guard batch.count == 1, batch.columns.count == 1 else { return }
    let column = batch.columns[0]
    var refused: Failure?
    batch.forEachValue(inRow: 0) { _, value in
      switch (value, json) {
      case (nil, nil): buffer.append(nullText)
      case (nil, .some): buffer.append("null")
      case (let value?, nil): buffer.append(value)
      case (let value?, let options?):
        buffer.withBytes { bytes in
          do throws(PGError) {
            try PGValue.appendJSON(of: value, column.pgType, column.format, to: &bytes, options)
          } catch { refused = JSONPrinter.refusal(of: column, error) }
        }
      }
    }
    if let refused { throw refused }
    buffer.append(UInt8(ascii: "\n"))
  }
}
