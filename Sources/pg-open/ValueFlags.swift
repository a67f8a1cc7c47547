internal import ArgumentParser
internal import PGCommandLine

/// The flags that bring values into statements.
struct ValueFlags: ParsableArguments {
  @Option(
    name: [.customShort("p"), .customLong("param")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "The value of the next parameter ($1, $2, …), taken as it is.", valueName: "value"))
  var parameters: [String] = []

  @Option(
    name: .customLong("param-file"),
    help: ArgumentHelp("The value of parameter N is what the file holds.", valueName: "N=path"))
  var parameterFiles: [String] = []

  @Option(
    name: .customLong("param-env"),
    help: ArgumentHelp(
      "The value of parameter N is that of the environment variable.", valueName: "N=name"))
  var parameterVariables: [String] = []

  @Option(
    name: .customLong("param-null"),
    help: ArgumentHelp("Parameter N is NULL.", valueName: "N"))
  var parameterNullTexts: [String] = []

  @Option(
    name: [.customShort("v"), .customLong("variable")], parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "What :'name' (as a literal) and :\"name\" (as an identifier) stand for.",
      valueName: "name=value"))
  var variables: [String] = []

  @Option(
    help: ArgumentHelp(
      "Run the statement for each row of this file, - for stdin, many in one round trip.",
      valueName: "file"), completion: .file())
  var each: String?

  @Option(
    name: .customLong("each-format"),
    help: ArgumentHelp(
      "What the file is: \(EachFormat.list). By default what its name ends with.",
      valueName: "format"),
    completion: .list(EachFormat.allValueStrings))
  var eachFormatWord: String?

  @Option(
    help: ArgumentHelp(
      "Which columns or keys become $1, $2, …; by default all, in their order.",
      valueName: "a,b,c"))
  var eachColumns: String?

  @Option(
    help: ArgumentHelp(
      "Go on after a row that is refused or malformed, also with -1, and keep it in this file.",
      valueName: "file"), completion: .file())
  var rejects: String?

  /// The parameters that are NULL.
  var parameterNulls: [Int] { parameterNullTexts.compactMap { .read($0) } }

  /// What the file of `--each` is, if that is said.
  var eachFormat: EachFormat? { .read(eachFormatWord) }

  func validate() throws {
    for text in parameterNullTexts { try Int.check(text, "--param-null") }
    try EachFormat.check(eachFormatWord, "--each-format")
  }
}

/// What the rows of `--each` are written in.
enum EachFormat: String, WordArgument {
  case ndjson, csv

  /// The words of `--each-format`.
  static let list = allValueStrings.joined(separator: ", ")

  /// What a file's name says.
  init?(nameOf path: String) {
    if path.hasSuffix(".csv") { self = .csv; return }
    guard path.hasSuffix(".ndjson") || path.hasSuffix(".jsonl") else { return nil }
    self = .ndjson
  }
}

extension ValueFlags: PlainFlags {
  static var none: ValueFlags {
    var flags = ValueFlags()
    flags.parameters = []
    flags.parameterFiles = []
    flags.parameterVariables = []
    flags.parameterNullTexts = []
    flags.variables = []
    flags.each = nil
    flags.eachFormatWord = nil
    flags.eachColumns = nil
    flags.rejects = nil
    return flags
  }
}
