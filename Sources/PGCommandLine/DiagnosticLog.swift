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
    var counts = Counts()
    /// The signal by which the process will end.
    var signal: Int32?
  }

  /// What a document has, and what it had no room for.
  struct Counts: Sendable {
    var failures = 0
    var others = 0
    /// What is not among the entries.
    var leftOut: Int {
      max(failures - DiagnosticLog.limit, 0) + max(others - DiagnosticLog.limit, 0)
    }
  }

  /// How many failures a document has at most, and how many other entries.
  ///
  /// It is kept in memory. However much has succeeded, there is room for what has failed.
  static let limit = 100_000

  private let state = Mutex(State())

  init() {}

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

  /// From now on messages say that the process ends by a signal.
  public func willEnd(by signal: Int32) { state.withLock { $0.signal = signal } }

  /// The status that a shell will see, if the process then ends for that reason.
  public func exitCode(for status: ExitStatus) -> Int32 {
    state.withLock { $0.signal }.map { 128 + $0 } ?? status.rawValue
  }

  func take(_ diagnostic: Diagnostic, _ status: ExitStatus?) {
    let (form, noticeForm) = state.withLock { ($0.form, $0.noticeForm) }
    switch diagnostic.isFailure(status) ? form : noticeForm ?? form {
    case .text: diagnostic.printText()
    case .json: StandardError.print(diagnostic.json(status, status.map { exitCode(for: $0) }))
    case .github: StandardError.print(diagnostic.workflowCommand(status))
    case .gitlab, .tap, .junit: append(.message(diagnostic, status))
    }
  }

  private func append(_ entry: Entry) {
    state.withLock { state in
      let count: Int
      if entry.isFailure {
        state.counts.failures += 1
        count = state.counts.failures
      } else {
        state.counts.others += 1
        count = state.counts.others
      }
      if count <= Self.limit { state.entries.append(entry) }
    }
  }

  /// Prints the document, if the form is one; a second call prints nothing.
  public func finish(program: String) {
    if let document = takeDocument(program: program) { StandardError.print(document) }
  }

  /// How much there is now.
  public var mark: Int { state.withLock { $0.entries.count } }

  /// Forgets what succeeded since a mark, because all of it is done again.
  public func takeBackSuccesses(since mark: Int) {
    state.withLock { state in
      let kept = state.entries.dropFirst(mark).filter {
        if case .success = $0 { false } else { true }
      }
      state.counts.others -= max(state.entries.count - mark, 0) - kept.count
      state.entries = state.entries.prefix(mark) + kept
    }
  }

  /// The document, if the form is one; a second call gives nothing.
  func takeDocument(program: String) -> String? {
    let (form, entries) = state.withLock { state in
      let form = state.form
      if state.form.isDocument { state.form = .text }
      defer { (state.entries, state.counts) = ([], Counts()) }
      var entries = state.entries
      if state.counts.leftOut > 0 {
        let message = "\(state.counts.leftOut) more are not listed: there is no room for them"
        entries.append(
          .message(Diagnostic(program: program, severity: .notice, message: message), nil))
      }
      return (form, entries)
    }
    switch form {
    case .gitlab: return DiagnosticDocument.codeQuality(entries)
    case .tap: return DiagnosticDocument.tap(entries)
    case .junit: return DiagnosticDocument.junit(entries, program: program)
    case .text, .json, .github: return nil
    }
  }
}

extension DiagnosticLog.Entry {
  fileprivate var isFailure: Bool {
    guard case .message(let message, let status) = self else { return false }
    return message.isFailure(status)
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
