internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// Where the rows come from: a server, with as many sessions as parts are read at a time and one snapshot for
/// all of them; or stdin, or a file.
final class SourceEnd {
  private let place: CopyPlace
  private let reading: ReadingFlags
  /// The encoding that is asked for of a server's data.
  private let encoding: String?
  /// Whether rows are told by their numbers, so that these should be the same the next time.
  private let isOrdered: Bool
  private var sessions: [ServerEnd] = []
  /// The name of the snapshot that all sessions read, if it has one.
  private(set) var snapshot: String?
  /// What tells the table that is read from every other one.
  private(set) var identity: String?

  /// Works out where it is; nothing is contacted.
  ///
  /// - Throws: ``Failure`` with status 64.
  init(_ plan: CopyPlan) throws(Failure) {
    (place, reading, encoding) = (plan.source, plan.reading, plan.request.encoding)
    isOrdered = plan.storing.rejects != nil
    guard case .server(let iri) = plan.source else { return }
    let session = try ServerEnd(
      "source", iri: iri, job: plan.running.job, statementLimit: plan.running.deadline?.duration)
    sessions = [session]
  }

  /// What it is called in messages.
  var label: String {
    switch place {
    case .standardStream: "stdin"
    case .file(let path): path
    case .server: sessions.first?.label ?? "source"
    }
  }

  /// Host and database; of what is no server, what it is called.
  var placeName: String { sessions.first?.place ?? label }
  /// The first session; `nil` for stdin and files.
  var server: ServerEnd? { sessions.first }
  /// Since when the snapshot has been held.
  var readingSince: ContinuousClock.Instant? { sessions.first?.readingSince }

  // MARK: Opening

  /// Connects, and begins to read.
  ///
  /// - Parameters:
  ///   - rows: What is copied.
  ///   - receivers: Who gets it: servers among them are told the same encoding.
  /// - Returns: The columns there are; none where nobody knows them.
  func open(_ rows: CopySource, for receivers: ReceiverSet) throws(Failure) -> [CopyColumn] {
    guard let first = sessions.first else { return [] }
    let connection: Connection
    do throws(PGError) { connection = try first.connect() } catch {
      throw failure(error, .connection)
    }
    try Interruptions.shared.check()
    do throws(PGError) { try EndGuard(connection).requireSystem(reading.systemID) } catch {
      throw failure(error, error.fault == .caller ? .negative : nil)
    }
    shareEncoding(of: connection, with: receivers)
    let isExported = reading.snapshot == "export"
    let columns = try attempt { () throws(PGError) -> [CopyColumn] in
      try first.beginReading(
        snapshot: isExported ? nil : reading.snapshot, isOrdered: isOrdered)
      if isExported || reading.jobs > 1 { snapshot = try first.exportSnapshot() }
      // In a subtransaction a standby ends the whole session where the query would do.
      if receivers.contains(where: { $0.operand.onFault == .replay }) { try first.markReading() }
      switch rows {
      case .query(let text): return try connection.columns(ofQuery: text)
      case .table(let table), .view(let table):
        let columns = try connection.columns(of: table)
        identity = try connection.identity(of: table)
        return columns
      }
    }
    if isExported, let snapshot { first.note("snapshot \(snapshot)") }
    return columns
  }

  /// Servers are told the same encoding, or one would take the other's bytes for something else.
  ///
  /// The texts of a SQL_ASCII database, of which nothing is known, travel as they are.
  private func shareEncoding(of connection: Connection, with receivers: ReceiverSet) {
    let servers = receivers.compactMap(\.server)
    if servers.isEmpty { return }
    let isUnknown = connection.reportedSetting("server_encoding") == ServerEnd.unknownEncoding
    for server in servers + sessions {
      server.use(encoding: isUnknown ? ServerEnd.unknownEncoding : "UTF8")
    }
  }

  /// Opens the sessions that parts at the same time need beyond the first one.
  func openSessions(_ count: Int) throws(Failure) {
    while sessions.count < count, let first = sessions.first {
      let session = first.another()
      try attempt { () throws(PGError) in
        _ = try session.connect()
        sessions.append(session)
        try session.beginReading(snapshot: snapshot)
      }
    }
  }

  // MARK: Reading

  /// Gives what a part holds.
  ///
  /// - Parameters:
  ///   - session: The place of the session that reads it.
  ///   - endsAtMarker: Whether a receiver takes a line `\.` for the end of the data.
  func producer(
    of part: CopySource, _ format: CopyFormat, by session: Int, endsAtMarker: Bool
  ) throws(Failure) -> any CopyProducer {
    switch place {
    case .standardStream: return LocalProducer.standardInput(endsAtMarker: endsAtMarker)
    case .file(let path):
      do throws(PGError) {
        return try LocalProducer.file(path, endsAtMarker: endsAtMarker)
      } catch { throw Failure(.localFailure, error.diagnostic(of: CopyCommand.program)) }
    case .server:
      return try attempt { () throws(PGError) in
        let sql = try part.copyOut(format, encoding: encoding)
        return try StatementProducer(try sessions[session].session(), sql)
      }
    }
  }

  /// Makes the first session usable again whose reading was broken off; the snapshot stays.
  func beginReadingAgain() throws(Failure) {
    try attempt { () throws(PGError) in try sessions.first?.beginReadingAgain() }
  }

  /// Asks the first session something; `nil` where there is none.
  func ask<Answer>(
    _ question: (Connection) throws(PGError) -> Answer
  ) throws(Failure) -> Answer? {
    guard let first = sessions.first else { return nil }
    return try attempt { () throws(PGError) in try question(try first.session()) }
  }

  /// Ends all sessions.
  func rollback() { for session in sessions { session.rollback() } }

  // MARK: Failures

  private func attempt<Result>(
    _ body: () throws(PGError) -> Result
  ) throws(Failure) -> Result {
    do throws(PGError) { return try body() } catch { throw failure(error) }
  }

  /// What an error of the source means for the run.
  ///
  /// - Parameter context: What it was about.
  func failure(
    _ error: PGError, _ status: ExitStatus? = nil, context: String? = nil
  ) -> Failure {
    if let failure = error.cause as? Failure { return failure }
    let speaker = "\(CopyCommand.program): \(label)"
    return Failure(
      status ?? error.status,
      error.diagnostic(of: speaker).spoken(by: speaker, context: context))
  }
}
