internal import ArgumentParser
internal import Glibc
internal import PGCommandLine
internal import PGKit

/// How rows are printed.
enum OutputFormat: String, WordArgument {
  case table, tsv, csv, json, jsonl, vertical, md, nul, raw, sh, bash

  /// The words of `--format`.
  static let list = allValueStrings.joined(separator: ", ")

  /// Whether values become JSON, for which the parts of arrays and composites are told apart.
  var isJSON: Bool { self == .json || self == .jsonl }

  /// A terminal changes the presentation and nothing else.
  ///
  /// - Throws: ``Failure`` with status 64 if PGKIT_FORMAT is no format.
  static func byDefault() throws(Failure) -> OutputFormat {
    if let word = getenv("PGKIT_FORMAT").map({ String(cString: $0) }), !word.isEmpty {
      guard let format = OutputFormat(rawValue: word) else {
        throw .usage("PGKIT_FORMAT is \"\(word)\", which is none of \(list)")
      }
      return format
    }
    return isatty(STDOUT_FILENO) == 1 ? .table : .tsv
  }

  /// Makes sure that what stands for NULL is one value in this format, and not several.
  ///
  /// - Throws: ``Failure`` with status 64.
  func requireSafe(nullText: String?) throws(Failure) {
    let marks: [Unicode.Scalar]
    switch self {
    case .csv: marks = [",", "\"", "\n", "\r"]
    case .tsv: marks = ["\t", "\n", "\r"]
    case .raw: marks = ["\t", "\n"]
    default: return
    }
    guard let nullText, nullText.unicodeScalars.contains(where: marks.contains) else { return }
    throw .usage(
      "--null: \(rawValue) takes no text with a separator, a quotation mark or a line break for NULL"
    )
  }

  /// A printer for one run of the program.
  func makePrinter(_ options: FormatOptions) -> any RowPrinter {
    switch self {
    case .table: TablePrinter(nullText: options.nullText ?? "∅")
    case .tsv:
      SeparatedPrinter(
        .tsv, nullText: options.nullText ?? "\\N", hasHeader: options.hasHeader ?? false)
    case .csv:
      SeparatedPrinter(
        .csv, nullText: options.nullText ?? "", hasHeader: options.hasHeader ?? true)
    case .json: JSONPrinter(asArray: true, options.json, options.duplicates)
    case .jsonl: JSONPrinter(asArray: false, options.json, options.duplicates)
    case .vertical: VerticalPrinter(nullText: options.nullText ?? "∅")
    case .md: MarkdownPrinter(nullText: options.nullText ?? "")
    case .nul: NULPrinter(nullText: options.nullText ?? "")
    case .raw: RawPrinter(nullText: options.nullText ?? "")
    case .sh: ShellPrinter(nullText: options.nullText)
    case .bash: BashPrinter(nullText: options.nullText)
    }
  }
}

/// What formats depend on beside the rows.
struct FormatOptions {
  /// What stands for NULL; `nil` leaves it to the format.
  let nullText: String?
  /// Whether the columns' names come first; `nil` leaves it to the format.
  let hasHeader: Bool?
  let json: PGJSONOptions
  /// What becomes of columns of the same name in JSON.
  let duplicates: DuplicateForm
}

/// Prints the results of statements, one after the other, in constant memory.
protocol RowPrinter {
  /// Begins a result.
  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) throws(Failure)

  /// Prints rows of it.
  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) throws(Failure)

  /// Ends it.
  mutating func end(_ buffer: inout OutputBuffer) throws(Failure)
}

extension RowPrinter {
  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) throws(Failure) {}
  mutating func end(_ buffer: inout OutputBuffer) throws(Failure) {}

  /// What a format says of a value that it cannot show.
  func refusal(_ message: String, hint: String) -> Failure {
    Failure(
      .localFailure,
      Diagnostic(
        program: OpenCommand.program, message: message, details: [("HINT", hint)]))
  }
}
