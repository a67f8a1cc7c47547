internal import PGCommandLine
internal import PGKit

/// What each result must be, and how much of one was seen.
struct Expectation {
  private let conditions: [RowCountCondition]
  private let value: String?
  let isScalar: Bool
  private let isOneRow: Bool

  private var count = 0
  private var columns: [Column] = []
  private var firstValue: String?
  /// The first rows, to be shown if they are not what was expected.
  private var sample: [String] = []
  /// How many rows a message shows.
  private static let sampleLimit = 10
  /// How much of a value it shows, in characters.
  private static let valueLimit = 100

  init(_ flags: ExpectationFlags) {
    conditions = flags.conditions
    value = flags.expectValue
    isScalar = flags.scalar
    isOneRow = flags.oneRow
  }

  /// Whether anything is expected.
  var isAny: Bool { !conditions.isEmpty || value != nil || isScalar || isOneRow }

  /// Whether rows are printed only when it is known that there is one.
  var holdsBack: Bool { isScalar || isOneRow }

  /// Whether another row has made all of them unwanted.
  var isExceeded: Bool { holdsBack && count > 1 }

  /// Begins a result.
  mutating func begin(_ columns: [Column]) {
    self.columns = columns
    count = 0
    firstValue = nil
    sample = []
  }

  /// Looks at rows of it.
  mutating func see(_ batch: RowBatch) {
    guard isAny else { return }
    for row in 0..<min(batch.count, Self.sampleLimit - sample.count) {
      var cells: [String] = []
      batch.forEachValue(inRow: row) { column, bytes in
        let text = bytes.map { String(decoding: $0, as: UTF8.self) }
        if count == 0, row == 0, column == 0 { firstValue = text }
        let shown = text.map { $0.count > Self.valueLimit ? $0.prefix(Self.valueLimit) + "…" : $0 }
        cells.append("\(batch.columns[column].name)=\(shown ?? "NULL")")
      }
      sample.append(cells.joined(separator: " "))
    }
    count += batch.count
  }

  /// Why the result is not what was expected.
  ///
  /// - Throws: ``Failure`` with status 6, with the first rows.
  func requireFulfilled(_ place: () -> SourcePlace?) throws(Failure) {
    guard let complaint else { return }
    var rows = sample
    if count > rows.count { rows.append("… and \(count - rows.count) more") }
    throw Failure(
      .negative,
      Diagnostic(
        program: OpenCommand.program, message: complaint, place: place(),
        details: rows.map { (Diagnostic.rowLabel, $0) }))
  }

  private static func shown(_ value: String) -> String { value.isEmpty ? "an empty text" : value }

  private var complaint: String? {
    let rows = "\(count) row\(count == 1 ? "" : "s")"
    for condition in conditions where !condition.holds(for: count) {
      return "expected \(condition) rows, but there are \(count)"
    }
    if isOneRow, count != 1 { return "expected one row, but there are \(rows)" }
    guard isScalar || value != nil else { return nil }
    guard count == 1, columns.count == 1 else {
      let width = columns.count == 1 ? "" : " of \(columns.count) columns"
      return "expected one value, but there are \(rows)\(width)"
    }
    guard let value, firstValue != value else { return nil }
    return "expected \(Self.shown(value)), but the value is \(firstValue.map(Self.shown) ?? "NULL")"
  }
}
