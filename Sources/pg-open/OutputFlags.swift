internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// The flags that say how rows are printed, and where.
struct OutputFlags: ParsableArguments {
  @Option(
    name: .customLong("format"),
    help: ArgumentHelp(
      """
      How rows are printed: \(OutputFormat.list). On a terminal table, else tsv; PGKIT_FORMAT says \
      another default.
      """, valueName: "format"),
    completion: .list(OutputFormat.allValueStrings))
  var formatWord: String?

  @Option(
    name: .customLong("null"), parsing: .unconditional,
    help: ArgumentHelp(
      "What stands for NULL: in table ∅, in tsv \\N, elsewhere nothing.", valueName: "text"))
  var nullText: String?

  @Flag(inversion: .prefixedNo, help: "Whether csv and tsv begin with the columns' names.")
  var header: Bool?

  @Option(
    name: .customLong("json-numbers"),
    help: ArgumentHelp(
      "How numbers look in JSON: \(NumberForm.list); by default exact.", valueName: "form"),
    completion: .list(NumberForm.allValueStrings))
  var numberWord: String?

  @Option(
    name: .customLong("bytea"),
    help: ArgumentHelp(
      "How bytea looks in JSON: \(ByteForm.list); by default hex.", valueName: "form"),
    completion: .list(ByteForm.allValueStrings))
  var byteWord: String?

  @Option(
    name: .customLong("dup"),
    help: ArgumentHelp(
      "What becomes of columns of the same name in JSON: \(DuplicateForm.list); by default suffix.",
      valueName: "form"),
    completion: .list(DuplicateForm.allValueStrings))
  var duplicateWord: String?

  @Option(
    name: .customLong("invalid-utf8"),
    help: ArgumentHelp(
      """
      What becomes of a value of a SQL_ASCII database that is not UTF-8: \(UnknownText.list); by \
      default fail.
      """, valueName: "form"),
    completion: .list(UnknownText.allValueStrings))
  var unknownTextWord: String?

  @Flag(help: "Print the columns' names and types as an array of JSON before the rows.")
  var jsonSchema = false

  @Option(
    name: .shortAndLong, parsing: .unconditional,
    help: ArgumentHelp(
      "Write rows to this file, - for stdout, which appears when everything has succeeded.",
      valueName: "file"), completion: .file())
  var output: String?

  @Flag(help: "Write to that file as rows come, whatever follows.")
  var noAtomic = false

  /// How rows are printed, if that is said.
  var format: OutputFormat? { .read(formatWord) }

  /// What becomes of values that are not UTF-8.
  var unknownText: UnknownText { .read(unknownTextWord) ?? .fail }

  func validate() throws {
    try OutputFormat.check(formatWord, "--format")
    try NumberForm.check(numberWord, "--json-numbers")
    try ByteForm.check(byteWord, "--bytea")
    try DuplicateForm.check(duplicateWord, "--dup")
    try UnknownText.check(unknownTextWord, "--invalid-utf8")
  }

  /// What the formats depend on.
  var options: FormatOptions {
    FormatOptions(
      nullText: nullText, hasHeader: header,
      json: PGJSONOptions(
        numbers: (NumberForm.read(numberWord) ?? .exact).option,
        bytes: ByteForm.read(byteWord) == .base64 ? .base64 : .hexadecimal),
      duplicates: .read(duplicateWord) ?? .suffix)
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

extension OutputFlags: PlainFlags {
  static var none: OutputFlags {
    var flags = OutputFlags()
    flags.formatWord = nil
    flags.nullText = nil
    flags.header = nil
    flags.numberWord = nil
    flags.byteWord = nil
    flags.duplicateWord = nil
    flags.unknownTextWord = nil
    flags.jsonSchema = false
    flags.output = nil
    flags.noAtomic = false
    return flags
  }
}
