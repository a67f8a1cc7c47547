internal import ArgumentParser
internal import Glibc
internal import PGCommandLine

/// The flags about what is said on stderr.
struct MessageFlags: ParsableArguments {
  @Option(
    name: .customLong("errors"),
    help: ArgumentHelp(
      """
      The form of errors: \(DiagnosticForm.list). By default github where GITHUB_ACTIONS is true, \
      else text; PGKIT_ERRORS says another default.
      """, valueName: "form"),
    completion: .list(DiagnosticForm.allValueStrings))
  var errorWord: String?

  @Option(
    name: .customLong("notices"),
    help: ArgumentHelp("The form of notices: text, json or off.", valueName: "form"),
    completion: .list(NoticeForm.allValueStrings))
  var noticeWord: String?

  @Option(
    name: .customLong("summary"),
    help: ArgumentHelp("Print a summary when all is over: json.", valueName: "form"),
    completion: .list(SummaryForm.allValueStrings))
  var summaryWord: String?

  @Flag(help: "Print what each statement says of itself, as INSERT 0 3.")
  var tags = false

  @Flag(name: [.customShort("q"), .long], help: "Print no notices, as --notices off.")
  var quiet = false

  @Flag(name: .customShort("w"), help: "Nothing: a password is never asked for.")
  var asksNoPassword = false

  private var notices: NoticeForm? { .read(noticeWord) }

  /// The form of the summary, if there is to be one.
  var summary: SummaryForm? { .read(summaryWord) }

  func validate() throws {
    try DiagnosticForm.check(errorWord, "--errors")
    try NoticeForm.check(noticeWord, "--notices")
    try SummaryForm.check(summaryWord, "--summary")
  }

  /// Whether notices are printed.
  var hasNotices: Bool { !quiet && notices != .off }

  /// Chooses the forms for the rest of the run.
  ///
  /// - Throws: ``Failure`` with status 64 if PGKIT_ERRORS is no form.
  func apply() throws(Failure) {
    let form: DiagnosticForm
    if let errors = DiagnosticForm.read(errorWord) {
      form = errors
    } else {
      form = try DiagnosticForm.fromEnvironment()
    }
    DiagnosticLog.shared.setForm(form, notices: notices?.form)
  }
}

/// The form of notices.
enum NoticeForm: String, WordArgument {
  case text, json, off

  var form: DiagnosticForm? {
    switch self {
    case .text: .text
    case .json: .json
    case .off: nil
    }
  }
}

/// The form of the summary.
enum SummaryForm: String, WordArgument {
  case json
}

extension DiagnosticForm {
  /// What the environment asks for.
  fileprivate static func fromEnvironment() throws(Failure) -> DiagnosticForm {
    if let word = getenv("PGKIT_ERRORS").map({ String(cString: $0) }), !word.isEmpty {
      guard let form = DiagnosticForm(rawValue: word) else {
        throw .usage("PGKIT_ERRORS is \"\(word)\", which is none of \(list)")
      }
      return form
    }
    let isWorkflow = getenv("GITHUB_ACTIONS").map { String(cString: $0) } == "true"
    return isWorkflow ? .github : .text
  }
}

extension MessageFlags: PlainFlags {
  static var none: MessageFlags {
    var flags = MessageFlags()
    flags.errorWord = nil
    flags.noticeWord = nil
    flags.summaryWord = nil
    flags.tags = false
    flags.quiet = false
    flags.asksNoPassword = false
    return flags
  }
}
