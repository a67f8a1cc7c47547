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
      its first one; where it cannot say, the transaction is left, and the status is 3. Until it is ended \
      it holds locks and keeps VACUUM from its work.
      """)

  @Option(
    name: .customLong("to"),
    help: ArgumentHelp("A receiver of the run; may be repeated.", valueName: "receiver"))
  var receivers: [String]

  @Option(help: ArgumentHelp("Only those of this job.", valueName: "name"))
  var job: String?

  @Flag(name: .customLong("list"), help: "Only say what is there and what was decided.")
  var onlyLists = false

  func run() throws {
    var ends: [ServerEnd] = []
    for (index, text) in receivers.enumerated() {
      guard case .server(let iri) = try ReceiverOperand(text).place else {
        throw Failure.usage("resolve is about servers")
      }
      ends.append(try ServerEnd("receiver \(index + 1)", iri: iri, job: nil))
    }
    try Interruptions.shared.duringWork { try Resolution(ends, job: job, onlyLists).run() }
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
  private let job: String?
  private let onlyLists: Bool

  init(_ ends: [ServerEnd], job: String?, _ onlyLists: Bool) {
    (self.ends, self.job, self.onlyLists) = (ends, job, onlyLists)
  }

  func run() throws {
    var isLeft = false
    for end in ends {
      do throws(PGError) {
        _ = try end.connect()
        try end.noteSystem()
      } catch {
        throw error.failure(of: "\(CopyCommand.program): \(end.label)")
      }
    }
    for end in ends {
      do {
        for name in try prepared(at: end) where job == nil || name.identity.job == job {
          if try !resolve(name, at: end) { isLeft = true }
        }
      } catch let error as PGError {
        throw error.failure(of: "\(CopyCommand.program): \(end.label)")
      }
    }
    if isLeft, !onlyLists { throw Failure(.refused) }
  }

  private func prepared(at end: ServerEnd) throws(PGError) -> [PreparedName] {
    let rows = try end.session().query(
      """
      SELECT gid FROM pg_catalog.pg_prepared_xacts
      WHERE database = pg_catalog.current_database() AND pg_catalog.starts_with(gid, $1) ORDER BY prepared
      """, PreparedName.prefix)
    var names: [PreparedName] = []
    for row in rows {
      if let name = PreparedName(try row[0, as: String.self]) { names.append(name) }
    }
    return names
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

  /// What the server that decides says of its own transaction.
  ///
  /// Copies of its data directory have its identifier, too, and other transactions of the same number: the
  /// one that is reached as it was then is asked, and without it all of them, which must agree. So what the
  /// server that decides says is never overruled.
  private func decision(on name: PreparedName) throws(PGError) -> Decision {
    var asked: [ServerEnd] = []
    for end in ends where try end.systemIdentifier() == name.decider.system { asked.append(end) }
    let sameWay = asked.filter(name.decider.isAt)
    let answers = Set((sameWay.isEmpty ? asked : sameWay).compactMap { answer(of: $0, on: name) })
    if answers.count > 1 {
      let places = asked.map(\.place).joined(separator: ", ")
      Diagnostic(
        program: CopyCommand.program, severity: .warning,
        message: "\(name.text): servers of one identifier answer differently: \(places)",
        details: [
          ("HINT", "Write --to of the run's first receiver as the run had it: that one decided.")
        ]
      ).print()
    }
    return answers.count == 1 ? answers.first ?? .unknown : .unknown
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
