internal import PGCommandLine

/// One row of the file of `--each`.
struct EachRow {
  /// The line on which it begins, from 1.
  let line: Int
  /// As it stands in the file, with its newline.
  let source: [UInt8]
  let values: [EachValue]
  /// Why it is no row, if it is none.
  var fault: Failure?

  /// How much memory it takes, about.
  var size: Int { source.count }
}

/// One value of such a row.
enum EachValue {
  /// A text; `nil` is NULL.
  case text(String?)
  case json(JSONValue)

  /// The value as the text of a parameter; `nil` is NULL.
  func parameterText(for type: ParameterKind) -> String? {
    switch self {
    case .text(let text): text
    case .json(let value): value.parameterText(for: type)
    }
  }
}

/// Reads the rows of `--each`.
protocol EachRows {
  /// What the file is called.
  var name: String { get }
  /// What the values of a row are, in their order; `nil` while no row says it.
  var columns: [String]? { get }
  /// A wanted column that no row had so far.
  var missingColumn: String? { get }
  /// What must stand in front of rows in a file of the same kind.
  var header: [UInt8] { get }
  /// The next row; `nil` at the end.
  ///
  /// - Throws: ``Failure`` if the file cannot be read; a line that is no row is a row with a fault.
  mutating func next() throws(Failure) -> EachRow?
}

extension EachRows {
  var missingColumn: String? { nil }

  /// What is wrong with a line of the file.
  func fault(_ message: String, line: Int, column: Int? = nil) -> Failure {
    Failure(
      .localFailure,
      Diagnostic(
        program: OpenCommand.program, message: message,
        place: SourcePlace(name, line: line, column: column)))
  }

  /// The positions of the wanted columns.
  static func positions(
    of wanted: [String]?, in columns: [String], _ name: String
  ) throws(Failure) -> [Int] {
    guard let wanted else { return Array(columns.indices) }
    var positions: [Int] = []
    for column in wanted {
      guard let position = columns.firstIndex(of: column) else {
        throw .usage(
          "\(name) has no column \"\(column)\"; it has \(columns.joined(separator: ", "))")
      }
      positions.append(position)
    }
    return positions
  }
}
