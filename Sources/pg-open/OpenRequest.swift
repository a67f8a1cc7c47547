internal import PGConnecting

/// What a command line asks for, whoever has read it: the parser, or ``PlainCommandLine``.
///
/// Not an ``OpenCommand``: to make one the runtime looks for what each of its groups conforms to, in
/// everything that is linked, which takes a fifth of a start.
struct OpenRequest {
  var statements: StatementFlags
  var values: ValueFlags
  var output: OutputFlags
  var expectations: ExpectationFlags
  var limits: LimitFlags
  var messages: MessageFlags
  var connection: ConnectionFlags
  /// Where to connect, and statements.
  var operands: [String]

  /// Does it.
  ///
  /// - Throws: ``Failure``; what stdout says.
  func run() throws {
    try messages.apply()
    let job = try OpenJob(self)
    try Interruptions.shared.duringWork { try job.run() }
  }
}
