internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// The flags that say what runs, and how much of it is one transaction.
struct StatementFlags: ParsableArguments {
  @Option(
    name: [.customShort("c"), .long], parsing: .unconditionalSingleValue,
    help: ArgumentHelp("A statement to run, or several; may be repeated.", valueName: "sql"))
  var command: [String] = []

  @Option(
    name: [.customShort("f"), .long],
    help: ArgumentHelp(
      "A file of statements to run, - for stdin; may be repeated.", valueName: "file"),
    completion: .file())
  var file: [String] = []

  @Flag(
    name: [.customShort("1"), .customLong("transaction")],
    help: "Run everything in one transaction: all of it takes effect, or nothing.")
  var transaction = false

  @Option(
    name: .customLong("isolation"),
    help: ArgumentHelp(
      "The isolation of that transaction: \(Isolation.list).", valueName: "level"),
    completion: .list(Isolation.allValueStrings))
  var isolationWord: String?

  @Flag(help: "Run all in read-only transactions, which no statement can switch off.")
  var readOnly = false

  @Flag(help: "Run everything in one transaction and roll it back: a rehearsal.")
  var rollback = false

  @Option(
    help: ArgumentHelp(
      "Do it once: its transaction stores this key, and what has it is not run again. (-1)",
      valueName: "text"))
  var idempotencyKey: String?

  @Flag(help: "Go on after an error; the status is that of the worst.")
  var keepGoing = false

  @Flag(help: "Run each value of a result as SQL.")
  var gexec = false

  @Flag(help: "With --gexec: print that SQL, and do not run it.")
  var dryRun = false

  @Flag(help: "Have the server check each statement and print its types, and run none.")
  var check = false

  @Flag(
    name: .customLong("check-ddl"),
    help: "The same, but run what defines something, and roll it back.")
  var checkDDL = false

  /// The isolation of that transaction, if it is said.
  var isolation: Isolation? { .read(isolationWord) }

  func validate() throws { try Isolation.check(isolationWord, "--isolation") }

  /// Whether everything is one transaction.
  var isOneTransaction: Bool {
    transaction || rollback || isolation != nil || idempotencyKey != nil
  }
}

/// How much a transaction sees of others.
enum Isolation: String, WordArgument {
  case serializable
  case repeatableRead = "repeatable-read"
  case readCommitted = "read-committed"

  /// The words of `--isolation`.
  static let list = allValueStrings.joined(separator: ", ")

  /// How SQL spells it.
  var sql: String { rawValue.uppercased().replacing("-", with: " ") }
}

extension StatementFlags: PlainFlags {
  static var none: StatementFlags {
    var flags = StatementFlags()
    flags.command = []
    flags.file = []
    flags.transaction = false
    flags.isolationWord = nil
    flags.readOnly = false
    flags.rollback = false
    flags.idempotencyKey = nil
    flags.keepGoing = false
    flags.gexec = false
    flags.dryRun = false
    flags.check = false
    flags.checkDDL = false
    return flags
  }
}
