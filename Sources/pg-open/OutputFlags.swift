internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// The flags that say how rows are printed, and where.
struct OutputFlags: ParsableArguments {
  @Option(
    help: """
      How rows are printed: \(OutputFormat.list). On a terminal table, else tsv; PGKIT_FORMAT says \
      another default.
      """)
  var format: OutputFormat?

  @Option(
    name: .customLong("null"),
    help: ArgumentHelp(
      "What stands for NULL: in table ∅, in tsv \\N, elsewhere nothing.", valueName: "text"))
  var nullText: String?

  @Flag(inversion: .prefixedNo, help: "Whether csv and tsv begin with the columns' names.")
  var header: Bool?

  @Option(help: "How numbers look in JSON: \(NumberForm.list).")
  var jsonNumbers = NumberForm.exact

  @Option(help: "How bytea looks in JSON: \(ByteForm.list).")
  var bytea = ByteForm.hex

  @Option(help: "What becomes of columns of the same name in JSON: \(DuplicateForm.list).")
  var dup = DuplicateForm.suffix

  @Option(
    name: .customLong("invalid-utf8"),
    help: "What becomes of a value of a SQL_ASCII database that is not UTF-8: \(UnknownText.list).")
  var unknownText = UnknownText.fail

  @Flag(help: "Print the columns' names and types as an array of JSON before the rows.")
  var jsonSchema = false

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Write rows to this file, which appears when everything has succeeded.", valueName: "file"))
  var output: String?

  @Flag(help: "Write to that file as rows come, whatever follows.")
  var noAtomic = false

  /// What the formats depend on.
  var options: FormatOptions {
    FormatOptions(
      nullText: nullText, hasHeader: header,
      json: PGJSONOptions(
        numbers: jsonNumbers.option, bytes: bytea == .hex ? .hexadecimal : .base64),
      duplicates: dup)
  }
}

/// How numbers look in JSON.
enum NumberForm: String, WordArgument {
  case exact, string, double

  /// The words of `--json-numbers`.
  static let list = allValueStrings.joined(separator: ", ")

  var option: PGJSONOptions.Numbers {
    switch self {
    case .exact: .exact
    case .string: .texts
    case .double: .doubles
    }
  }
}

/// How bytes look in JSON.
enum ByteForm: String, WordArgument {
  case hex, base64

  /// The words of `--bytea`.
  static let list = allValueStrings.joined(separator: ", ")
}
