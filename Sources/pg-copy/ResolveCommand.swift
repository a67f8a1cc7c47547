internal import ArgumentParser
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-copy` with its verbs.
struct VerbCommand: ParsableCommand {
  static let configuration = Program.configuration(
    name: CopyCommand.program, abstract: CopyCommand.configuration.abstract,
    subcommands: [ResolveCommand.self])
}

/// `pg-copy resolve --to A --to B`: ends the prepared transactions that a run with `--atomic` has left.
struct ResolveCommand: ParsableCommand {
  static let word = "resolve"

  static let configuration = CommandConfiguration(
    commandName: word,
    abstract: "End the prepared transactions that runs with --atomic have left.",
    discussion: """
      Name all receivers of the run, as the run did. What was decided is asked of the receiver that decided, \
      its first one, and of no other server; where it cannot say, or is not there, the transaction is left, \
      and the status is 3; with --list nothing is to be ended, and the status is 0. Until it is ended it holds locks and keeps VACUUM from its work.
      """)

  @Option(
    name: .customLong("to"),
    help: ArgumentHelp("A receiver of the run; may be repeated.", valueName: "receiver"))
  var receivers: [String]

  @Option(
    help: ArgumentHelp(
      "The server that decided, the run's first receiver, where it is reached in another way than by the run.",
      valueName: "receiver"))
  var decider: String?

  @Option(help: ArgumentHelp("Only those of this job.", valueName: "name"))
  var job: String?

  @Flag(
    name: .customLong("list"),
    help:
      "Only say what is there and what was decided; that is status 0, whatever it is: of what is unknown or undecided the lines tell."
  )
  var onlyLists = false

  func run() throws {
    if let job, !RunIdentity.isName(job) {
      throw Failure.usage("--job \(job.isEmpty ? "is empty" : "\(job): no job has such a name")")
    }
    if decider == "" { throw Failure.usage("--decider is empty; is a variable not set?") }
    var ends: [ServerEnd] = []
    for (index, text) in receivers.enumerated() {
      ends.append(try Self.end(text, "receiver \(index + 1)"))
    }
    let decider = try decider.map { try Self.end($0, "decider") }
    try Interruptions.shared.duringWork {
      try Resolution(ends, decidedAt: decider, job: job, onlyLists).run()
    }
  }

  private static func end(_ text: String, _ name: String) throws -> ServerEnd {
    guard case .server(let iri) = try ReceiverOperand(text).place else {
      throw Failure.usage("resolve is about servers")
    }
    return try ServerEnd(name, iri: iri, job: nil)
  }
}

/// What `pg-copy resolve` does.
struct Resolution {
  /// What was decided about a prepared transaction.
  private enum Decision: String {
    case commit, rollback
    case wait = "undecided yet"
    case unknown = "unknown"
  }

  private let ends: [ServerEnd]
  /// Who has decided; `nil` is whoever is reached as the run has reached it.
  private let decider: ServerEnd?
  private let job: String?
  private let onlyLists: Bool

  init(_ ends: [ServerEnd], decidedAt decider: ServerEnd?, job: String?, _ onlyLists: Bool) {
    (self.ends, self.decider, self.job, self.onlyLists) = (ends, decider, job, onlyLists)
  }

  func run() throws {
    var isLeft = false
    var done: Set<String> = []
    for end in ends + [decider].compactMap({ $0 }) {
      do throws(PGError) {
        _ = try end.connect()
        try end.noteSystem()
      } catch {
        throw error.failure(of: "\(CopyCommand.program): \(end.label)")
      }
    }
    for end in ends {
      do {
        for name in try PreparedName.all(of: job, try end.session())
        // Several receivers may be tables of one database.
        where done.insert("\(end.place) \(name.text)").inserted {
          if try !resolve(name, at: end) { isLeft = true }
        }
      } catch let error as PGError {
        throw error.failure(of: "\(CopyCommand.program): \(end.label)")
      }
    }
    if isLeft, !onlyLists { throw Failure(.refused) }
  }

  /// Whether it is ended.
  private func resolve(_ name: PreparedName, at end: ServerEnd) throws -> Bool {
    let decision = try decision(on: name)
    try StandardOutput.shared.write(
      """
      {"transaction":\(JSONText.quoted(name.text)),"place":\(JSONText.quoted(end.place)),\
      "job":\(JSONText.quoted(name.identity.job)),"decision":"\(decision.rawValue)"}\n
      """)
    if onlyLists { return false }
    switch decision {
    case .commit, .rollback:
      return PreparedName.settle(name, commits: decision == .commit, at: end)
    case .wait, .unknown: return false
    }
  }

  /// Ends a prepared transaction as it was decided, and says so.
  ///
  /// - Returns: Whether it is ended; not if nobody knows what was decided, or not yet.
  func endAsDecided(_ name: PreparedName, at end: ServerEnd) -> Bool {
    guard let decision = try? decision(on: name) else { return false }
    switch decision {
    case .commit, .rollback:
      guard PreparedName.settle(name, commits: decision == .commit, at: end) else { return false }
      let word = decision == .commit ? "committed" : "rolled back"
      end.note(
        "the prepared transaction \(name.text) of a run before was \(word), as that had decided")
      return true
    case .wait, .unknown: return false
    }
  }

  /// What the server that decides says of its own transaction.
  ///
  /// Copies of its data directory have its identifier, too, and other transactions of the same number: only
  /// the one that is reached as the run had it is asked, and nobody else speaks for it.
  private func decision(on name: PreparedName) throws(PGError) -> Decision {
    var asked: [ServerEnd] = []
    for end in decider.map({ [$0] }) ?? ends.filter(name.decider.isAt) {
      if try end.systemIdentifier() == name.decider.system { asked.append(end) }
    }
    if asked.isEmpty { warnOfAbsence(of: name) }
    let answers = Set(asked.compactMap { answer(of: $0, on: name) })
    return answers.count == 1 ? answers.first ?? .unknown : .unknown
  }

  private func warnOfAbsence(of name: PreparedName) {
    Diagnostic(
      program: CopyCommand.program, severity: .warning,
      message: "\(name.text): the server that decides is not among these",
      details: [
        (
          "HINT",
          "Write --to of the run's first receiver as the run had it; or name it with --decider where that "
            + "server is reached in another way now."
        )
      ]
    ).print()
  }

  /// What one server says; `nil` if it has never had such a transaction.
  private func answer(of end: ServerEnd, on name: PreparedName) -> Decision? {
    do throws(PGError) {
      switch try CommitOutcome.status(of: name.decider.transaction, at: end) {
      case "committed": return .commit
      case "aborted": return .rollback
      case "in progress": return .wait
      default: return .unknown
      }
    } catch {
      // The number is one of its future.
      return error.code == .invalidParameterValue ? nil : .unknown
    }
  }
}
