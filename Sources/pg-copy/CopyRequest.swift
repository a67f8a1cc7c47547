internal import PGConnecting

/// What a command line asks for, whoever has read it: the parser, or ``PlainCommandLine``.
///
/// Not a ``CopyCommand``: to make one the runtime looks for what each of its groups conforms to, in
/// everything that is linked.
struct CopyRequest {
  var receivers: [String]
  var format: TravelFormat
  var encoding: String?
  var storing: StoringFlags
  var reading: ReadingFlags
  var running: RunningFlags
  var reporting: ReportingFlags
  var source: String
  var rows: String

  /// Does it.
  ///
  /// - Throws: ``Failure``; what stdout says.
  func run() throws {
    let plan = try CopyPlan(self)
    Interruptions.shared.setGrace(running.grace.duration)
    Interruptions.shared.limit(
      to: running.deadline.map { .after($0.duration) } ?? .never, program: CopyCommand.program,
      sparesLastStep: true)
    try Interruptions.shared.duringWork { try CopyJob(plan).run() }
  }
}
