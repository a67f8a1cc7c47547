internal import Synchronization

/// Where every message of a program goes, and what form it then has.
///
/// Most forms are printed at once. Those that are one document, with successes in it, are gathered and
/// printed when the program ends.
public final class DiagnosticLog: Sendable {
  /// The process's only one.
  public static let shared = DiagnosticLog()

  /// A message, or the success of a statement.
  enum Entry: Sendable {
    case message(Diagnostic, ExitStatus?)
    case success(String)
  }

  private struct State {
    var form = DiagnosticForm.text
    var noticeForm: DiagnosticForm?
    var entries: [Entry] = []
  }

  /// How many entries a document has at most: it is kept in memory.
  static let limit = 100_000

  private let state = Mutex(State())

  private init() {}

  /// Chooses the form of what comes from now on.
  ///
  /// - Parameter notices: The form of notices and remarks, if it is to be another.
  public func setForm(_ form: DiagnosticForm, notices: DiagnosticForm? = nil) {
    state.withLock { ($0.form, $0.noticeForm) = (form, notices) }
  }

  /// The form that errors have.
  public var form: DiagnosticForm { state.withLock { $0.form } }

  /// Notes that something succeeded, for the forms that count that.
  public func succeeded(_ name: @autoclosure () -> String) {
    guard form == .tap || form == .junit else { return }
    append(.success(name()))
  }

  func take(_ diagnostic: Diagnostic, _ status: ExitStatus?) {
    let (form, noticeForm) = state.withLock { ($0.form, $0.noticeForm) }
    switch diagnostic.isFailure(status) ? form : noticeForm ?? form {
    case .text: diagnostic.printText()
    case .json: StandardError.print(diagnostic.json(status))
    case .github: StandardError.print(diagnostic.workflowCommand(status))
    case .gitlab, .tap, .junit: append(.message(diagnostic, status))
    }
  }

  private func append(_ entry: Entry) {
    state.withLock { if $0.entries.count < Self.limit { $0.entries.append(entry) } }
  }

  /// Prints the document, if the form is one; a second call prints nothing.
  public func finish(program: String) {
    let (form, entries) = state.withLock { state in
      let form = state.form
      if state.form.isDocument { state.form = .text }
      defer { state.entries = [] }
      return (form, state.entries)
    }
    switch form {
    case .gitlab: StandardError.print(DiagnosticDocument.codeQuality(entries))
    case .tap: StandardError.print(DiagnosticDocument.tap(entries))
    case .junit: StandardError.print(DiagnosticDocument.junit(entries, program: program))
    case .text, .json, .github: break
    }
  }
}

extension Diagnostic {
  /// Whether it tells of a failure, rather than of something to be known.
  func isFailure(_ status: ExitStatus?) -> Bool {
    switch severity {
    case .warning, .notice, .info, .log, .debug: false
    case .error, .fatal, .panic: true
    case nil: status != nil
    }
  }
}
