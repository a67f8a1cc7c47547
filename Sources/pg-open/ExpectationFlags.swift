internal import ArgumentParser
internal import PGCommandLine

/// The flags that say what each result must be; where it is not, the status is 6.
struct ExpectationFlags: ParsableArguments {
  @Flag(
    help: """
      Print the one value of the one row, as it is, and NULL as an empty line or what --null says; \
      anything else is an error.
      """)
  var scalar = false

  @Flag(help: "The result must have exactly one row; nothing is printed otherwise.")
  var oneRow = false

  @Option(
    name: .customLong("expect-rows"), parsing: .unconditional,
    help: ArgumentHelp(
      "The result must have so many rows; a change has one only with RETURNING.", valueName: "n"))
  var expectRowsText: String?

  @Option(
    name: .customLong("expect"),
    help: ArgumentHelp(
      "What must be true of the number of rows, as '>=1'; may be repeated.",
      valueName: "condition"))
  var expectTexts: [String] = []

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The result must be this one value.", valueName: "text"))
  var expectValue: String?

  @Option(
    name: .customLong("expect-system-id"),
    help: ArgumentHelp(
      "The server must be of the cluster with this identifier, or nothing runs.", valueName: "id"))
  var systemIDText: String?

  /// What must be true of the number of rows.
  var conditions: [RowCountCondition] {
    expectTexts.compactMap { .read($0) }
      + (Int.read(expectRowsText).map { [RowCountCondition(exactly: $0)] } ?? [])
  }

  /// The identifier that the server's cluster must have.
  var systemID: UInt64? { .read(systemIDText) }

  func validate() throws {
    try Int.check(expectRowsText, "--expect-rows")
    if let count = Int.read(expectRowsText), count < 0 {
      throw ValidationError("--expect-rows takes a number of rows from 0")
    }
    for text in expectTexts { try RowCountCondition.check(text, "--expect") }
    try UInt64.check(systemIDText, "--expect-system-id")
  }
}

/// A comparison of the number of rows: `>=1`, `=0`, `<100`.
struct RowCountCondition: ExpressibleByArgument, Hashable, CustomStringConvertible {
  private enum Comparison: String, CaseIterable {
    case atLeast = ">="
    case atMost = "<="
    case notEqual = "!="
    case unequal = "<>"
    case same = "=="
    case equal = "="
    case more = ">"
    case less = "<"
  }

  private let comparison: Comparison
  private let number: Int

  /// A number of rows, exactly.
  init(exactly number: Int) { (comparison, self.number) = (.equal, number) }

  /// Reads it; `nil` unless it is a comparison and a number.
  init?(argument: String) {
    guard let comparison = Comparison.allCases.first(where: { argument.hasPrefix($0.rawValue) }),
      let number = Int(argument.dropFirst(comparison.rawValue.count).drop { $0 == " " })
    else { return nil }
    (self.comparison, self.number) = (comparison, number)
  }

  /// Whether it is true of a number of rows.
  func holds(for count: Int) -> Bool {
    switch comparison {
    case .atLeast: count >= number
    case .atMost: count <= number
    case .notEqual, .unequal: count != number
    case .same, .equal: count == number
    case .more: count > number
    case .less: count < number
    }
  }

  var description: String {
    comparison == .equal ? "\(number)" : "\(comparison.rawValue)\(number)"
  }
}

extension ExpectationFlags: PlainFlags {
  static var none: ExpectationFlags {
    var flags = ExpectationFlags()
    flags.scalar = false
    flags.oneRow = false
    flags.expectRowsText = nil
    flags.expectTexts = []
    flags.expectValue = nil
    flags.systemIDText = nil
    return flags
  }
}
