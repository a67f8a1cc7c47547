internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGKit

/// How rows are printed.
enum OutputFormat: String, WordArgument {
  case table, tsv, csv, json, jsonl

  /// The words of `--format`.
  static let list = allValueStrings.joined(separator: ", ")

  /// Whether the parts of arrays and composites are told apart.
  var showsParts: Bool { self == .json || self == .jsonl }

  /// A terminal changes the presentation and nothing else.
  static var `default`: OutputFormat { isatty(STDOUT_FILENO) == 1 ? .table : .tsv }

  /// A printer for one run of the program.
  func makePrinter(nullText: String?) -> any RowPrinter {
    switch self {
    case .table: TablePrinter(nullText: nullText ?? "∅")
    case .tsv: TSVPrinter(nullText: nullText ?? "\\N")
    case .csv: CSVPrinter(nullText: nullText ?? "")
    case .json: JSONPrinter(asArray: true)
    case .jsonl: JSONPrinter(asArray: false)
    }
  }
}

/// Prints the results of statements, one after the other, in constant memory.
protocol RowPrinter {
  /// Begins a result.
  mutating func begin(_ columns: [Column]) throws

  /// Prints rows of it.
  mutating func print(_ batch: RowBatch) throws

  /// Ends it.
  mutating func end() throws
}
