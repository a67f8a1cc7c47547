internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// One session with a server at an end of the copying: its connection, its transaction, and its name in
/// messages.
final class ServerEnd {
  /// `source`, `receiver 2`: what it is called, with its place in parentheses.
  let label: String
  /// Host and database.
  let place: String
  /// The encoding that the data has here; `nil` leaves it to the options, and without one there to
  /// the server if its texts have no known encoding.
  private var encoding: String?
  /// How long a statement may take: the server ends it by itself if nobody can tell it to.
  private let statementLimit: Duration?
  /// The name of texts of which nothing is known but that ASCII is ASCII.
  static let unknownEncoding = "SQL_ASCII"
  /// How long a server may take to note that something is to be cancelled.
  private static let cancelLimit = Duration.seconds(2)
  private let options: ConnectionOptions
  private var isAtWork = false
  private(set) var connection: Connection?
  /// The identifier of its cluster, once it was asked for; `nil` where the server does not tell it.
  private(set) var system: String?
  /// The number of the transaction that stores, once it was asked for.
  private(set) var transactionID: Int?
  /// Since when it holds the snapshot that it reads.
  private(set) var readingSince: ContinuousClock.Instant?

  /// Works out where it is; nothing is contacted.
  ///
  /// - Parameter job: The run's name, which the server shows for the session.
  /// - Throws: ``Failure`` with status 64 if an option is malformed.
  init(_ name: String, iri: String?, job: String?, statementLimit: Duration? = nil) throws(Failure)
  {
    var options: ConnectionOptions
    do throws(Failure) {
      options = try Connecting(program: CopyCommand.program).options(iri: iri)
    } catch {
      throw Failure(error.status, error.diagnostic?.spoken(by: "\(CopyCommand.program): \(name)"))
    }
    if let job { options.fallbackApplicationName = "\(CopyCommand.program):\(job)" }
    // A peer that has vanished without a word holds the source's snapshot, and locks, until it is noticed.
    options.keepalivesIdle = options.keepalivesIdle ?? 10
    options.keepalivesInterval = options.keepalivesInterval ?? 10
    options.keepalivesCount = options.keepalivesCount ?? 6
    options.tcpUserTimeout = options.tcpUserTimeout ?? 70_000
    (self.options, self.statementLimit) = (options, statementLimit)
    place = Self.place(options)
    label = "\(name) (\(place))"
  }

  private init(like other: ServerEnd) {
    (options, place, label) = (other.options, other.place, other.label)
    (encoding, statementLimit) = (other.encoding, other.statementLimit)
    system = other.system
  }

  /// Has the data in this encoding.
  func use(encoding: String) { self.encoding = encoding }

  /// Another session at the same place, which has not begun.
  func another() -> ServerEnd { ServerEnd(like: self) }

  /// Connects; from then on a signal cancels what runs there.
  func connect() throws(PGError) -> Connection {
    let connection = try Connector(options).connect()
    let speaker = speaker
    connection.messageHook = {
      $0.diagnostic(of: speaker).print()
      return true
    }
    Interruptions.shared.add(connection.interruption)
    self.connection = connection
    return connection
  }

  /// Connects for a question beside the copying, or after it; no signal reaches what runs there.
  ///
  /// - Throws: ``PGError`` 08006 if a server of another cluster has come to its place: what that one says
  ///   is about something else.
  func connectBeside(until end: Deadline = .never) throws(PGError) -> Connection {
    let connection = try Connector(options).connect(until: end.earlier(.after(.seconds(5))))
    do throws(PGError) { try requireKnownSystem(connection) } catch {
      connection.close()
      throw error
    }
    return connection
  }

  /// Asks of what cluster the server is, and makes sure that it is the same as before.
  ///
  /// One that does not tell it to this user is none the worse for that; no transaction may have begun.
  ///
  /// - Throws: ``PGError`` 08006 if a server of another cluster has come to its place.
  func noteSystem() throws(PGError) {
    let connection = try session()
    try requireKnownSystem(connection)
    if system == nil { system = try EndGuard(connection).systemIfTold() }
  }

  private func requireKnownSystem(_ connection: Connection) throws(PGError) {
    guard let system else { return }
    let found = try EndGuard(connection).systemIfTold()
    guard found != system else { return }
    throw PGError(
      code: .connectionFailure,
      message:
        "a server of cluster \(found ?? "unknown") answers there now, and not one of \(system)",
      fault: .transport)
  }

  /// The session's connection.
  ///
  /// - Throws: ``PGError`` 08003 if there is none.
  func session() throws(PGError) -> Connection {
    guard let connection else {
      throw PGError(
        code: .connectionDoesNotExist, message: "\(label) is not connected", fault: .transport)
    }
    return connection
  }

  /// The server's major version while there is a connection.
  var majorVersion: Int? { connection?.serverVersion.major }

  /// Begins the transaction that the data is read in: one snapshot, and no way to change anything.
  ///
  /// - Parameters:
  ///   - snapshot: The name of an exported one; without it there is a new one.
  ///   - isOrdered: Whether a table is read from its first block on, whoever else reads it.
  func beginReading(snapshot: String? = nil, isOrdered: Bool = false) throws(PGError) {
    let (connection, settings) = (try session(), try settings())
    try connection.execute(settings.noticingLoss)
    let choice = try snapshot.map { name throws(PGError) in
      "SET TRANSACTION SNAPSHOT \(try SQL.quoteLiteral(name)); "
    }
    try connection.execute(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \(choice ?? "")" + settings.reading
        + (isOrdered ? SessionSettings.order : ""))
    readingSince = ContinuousClock.now
  }

  /// Remembers the transaction as it is, so that the snapshot survives a reading that is broken off.
  ///
  /// After this no snapshot can be exported.
  func markReading() throws(PGError) { try session().execute("SAVEPOINT pgkit_copy") }

  /// Makes a transaction usable again in which the reading was broken off; the snapshot stays.
  func beginReadingAgain() throws(PGError) {
    let connection = try session()
    if connection.transactionStatus != .inTransaction {
      try connection.execute("ROLLBACK TO SAVEPOINT pgkit_copy")
    }
  }

  /// Exports the snapshot that is read, for others.
  func exportSnapshot() throws(PGError) -> String {
    try session().query.first("SELECT pg_catalog.pg_export_snapshot()", as: String.self) ?? ""
  }

  /// Begins the transaction that the data is stored in.
  func beginStoring() throws(PGError) {
    let (connection, settings) = (try session(), try settings())
    try connection.execute(settings.noticingLoss)
    try connection.execute("BEGIN; " + settings.storing)
  }

  /// Lets what comes from here on take as long as it does: a COMMIT is not to be given up.
  func liftStatementLimit() throws(PGError) {
    if let statement = try settings().liftingLimit { try session().execute(statement) }
  }

  private func settings() throws(PGError) -> SessionSettings {
    SessionSettings(
      connection: try session(), options: options, encoding: encoding,
      statementLimit: statementLimit)
  }

  /// The number of the transaction, by which it can be asked for later whether it was committed.
  func noteTransactionID() throws(PGError) -> Int {
    let number =
      try session().query.first("SELECT pg_catalog.txid_current()", as: Int.self) ?? 0
    transactionID = number
    return number
  }

  /// What tells this server from others, beside the copies of its data directory.
  ///
  /// - Throws: ``PGError``: the server's, if it does not tell it to this user.
  func systemIdentifier() throws(PGError) -> String {
    if let system { return system }
    let connection = try connectBeside()
    defer { connection.close() }
    return try EndGuard(connection).system()
  }

  /// Commits.
  ///
  /// - Throws: ``PGError`` 25P02 if the server rolled back instead.
  func commit() throws(PGError) {
    try end("COMMIT", expecting: "COMMIT")
    close()
  }

  /// Leaves the transaction with the server, to be ended by its name.
  ///
  /// - Throws: ``PGError`` 25P02 if the server rolled back instead.
  func prepareTransaction(_ name: String) throws(PGError) {
    try end(
      "PREPARE TRANSACTION \(try SQL.quoteLiteral(name))", expecting: "PREPARE TRANSACTION")
  }

  /// A server answers the end of a transaction in which something failed with another one, and no error.
  private func end(_ statement: String, expecting answer: String) throws(PGError) {
    let connection = try session()
    let tag = try Interruptions.shared.awaiting(connection.fileDescriptor) { () throws(PGError) in
      try connection.query.text(statement).finish()
    }
    guard tag?.name != answer else { return }
    throw PGError(
      code: .inFailedSqlTransaction,
      message:
        "the server answered \(answer) with \(tag?.description ?? "nothing"): nothing is stored",
      fault: .server)
  }

  /// Hears that its server has all of the data and works on it, or has done so.
  func note(isAtWork: Bool) { self.isAtWork = isAtWork }

  /// Has its server leave what it works on alone, whose outcome nobody wants any more.
  func cancelWork() {
    guard isAtWork, let connection, !connection.isClosed else { return }
    isAtWork = false
    try? connection.interruption.cancel(within: Self.cancelLimit)
  }

  /// Ends the session; what was not committed is rolled back by the time this returns.
  func rollback() {
    cancelWork()
    if let connection, !connection.isClosed, connection.transactionStatus != .idle {
      // A server that does not hear it rolls back when it sees the socket closed.
      try? connection.execute("ROLLBACK", until: .after(Interruptions.shared.graceTime))
    }
    close()
  }

  /// Says on stderr what happened to it.
  func report(_ error: PGError, hint: String? = nil, context: String? = nil) {
    error.diagnostic(of: speaker).spoken(by: speaker, hint: hint, context: context).print()
  }

  /// Says something about it on stderr.
  func note(_ text: String) { Diagnostic(program: speaker, message: text).print() }

  private var speaker: String { "\(CopyCommand.program): \(label)" }

  func close() {
    connection?.close()
    connection = nil
  }

  private static func place(_ options: ConnectionOptions) -> String {
    let hosts = ((try? options.endpoints()) ?? []).map(\.description).joined(separator: ",")
    return "\(hosts)/\(options.database ?? options.user ?? "")"
  }
}
