import PGErrorCodes

/// A transaction block, or a savepoint inside one: what it is, is decided when it starts.
///
/// ```swift
/// try db.withTransaction { _ in
///   try db.execute("INSERT …")
///   try db.withTransaction { _ in try db.execute("…") }  // a savepoint
/// }
/// ```
///
/// ``Connection/withTransaction(isolation:mode:deferrable:_:)`` is the form to prefer: it commits or
/// rolls back on every way out. The methods here are for code that cannot be written as one block.
///
/// In py-postgresql: `postgresql.api.Transaction`, made by `db.xact(...)`.
public final class Transaction {
  /// The isolation level of a block.
  ///
  /// Source: PostgreSQL manual, "Transaction Isolation".
  public enum Isolation: String, Sendable, CaseIterable {
    /// In PostgreSQL the same as ``readCommitted``.
    case readUncommitted = "READ UNCOMMITTED"
    /// Each statement sees what was committed before it began.
    case readCommitted = "READ COMMITTED"
    /// All statements see what was committed before the first one.
    case repeatableRead = "REPEATABLE READ"
    /// As if transactions ran one after the other; some must be tried again.
    case serializable = "SERIALIZABLE"
  }

  /// Whether a block may change anything.
  public enum Mode: String, Sendable, CaseIterable {
    /// It may.
    case readWrite = "READ WRITE"
    /// It may not.
    case readOnly = "READ ONLY"
  }

  /// Where it stands.
  public enum State: Sendable, Hashable {
    /// Nothing has been sent yet.
    case notStarted
    /// Statements run in it.
    case open
    /// Prepared for the second phase of a two-phase commit.
    case prepared
    /// Its changes are there for good, or are part of the surrounding block.
    case committed
    /// Its changes are gone.
    case rolledBack
  }

  /// How a transaction block is configured; a savepoint cannot be.
  struct Configuration: Hashable {
    var isolation: Isolation?
    var mode: Mode?
    var deferrable: Bool?

    var isEmpty: Bool { isolation == nil && mode == nil && deferrable == nil }

    var start: String {
      var words = ["START TRANSACTION"]
      if let isolation { words.append("ISOLATION LEVEL \(isolation.rawValue)") }
      if let mode { words.append(mode.rawValue) }
      if let deferrable { words.append(deferrable ? "DEFERRABLE" : "NOT DEFERRABLE") }
      return words.joined(separator: " ")
    }
  }

  /// The words of a savepoint.
  struct Savepoint {
    private let name: String

    init(_ name: String) throws(PGError) { self.name = try SQL.quoteIdentifier(name) }

    var start: String { "SAVEPOINT \(name)" }
    var release: String { "RELEASE SAVEPOINT \(name)" }
    /// To where it began, and out of it.
    var rollback: String { "ROLLBACK TO SAVEPOINT \(name); \(release)" }
  }

  /// The connection that it runs on.
  public let connection: Connection
  /// Where it stands.
  public private(set) var state = State.notStarted
  private let configuration: Configuration
  /// `nil` for a block.
  private var savepoint: Savepoint?
  /// The name that it was prepared under.
  private var globalID: String?

  init(_ connection: Connection, _ configuration: Configuration) {
    self.connection = connection
    self.configuration = configuration
  }

  /// Takes up a transaction that was prepared, perhaps by another session.
  init(_ connection: Connection, prepared globalID: String) {
    self.connection = connection
    configuration = Configuration()
    self.globalID = globalID
    state = .prepared
  }

  /// The isolation level that was asked for.
  public var isolation: Isolation? { configuration.isolation }

  /// The mode that was asked for.
  public var mode: Mode? { configuration.mode }

  /// Whether it is a savepoint inside another transaction.
  public var isSavepoint: Bool { savepoint != nil }

  /// Starts it: a block if none is open, else a savepoint.
  ///
  /// Starting an open one again does nothing.
  ///
  /// - Throws: ``PGError``: `--OPE` if it is over, or is configured inside another block; 25P02
  ///   inside a failed block.
  ///
  /// In py-postgresql: `start()`, `begin()`.
  public func start() throws(PGError) {
    if state == .open { return }
    guard state == .notStarted else { throw mistake("start") }
    try connection.becomeIdle()
    if connection.transactionStatus == .idle {
      _ = try run(configuration.start)
    } else {
      guard configuration.isEmpty else {
        throw .operation(
          "a transaction with an isolation level or a mode cannot start inside another one",
          hint: "inside a block it is a savepoint, which has no configuration")
      }
      let savepoint = try Savepoint(connection.names.next("savepoint"))
      _ = try run(savepoint.start)
      self.savepoint = savepoint
    }
    state = .open
  }

  /// Commits a block, releases a savepoint, or commits what was prepared.
  ///
  /// Committing a committed one does nothing. A failed block cannot be committed: the server rolls it
  /// back, and this throws. (py-postgresql lets that pass without a word.)
  ///
  /// - Throws: ``PGError``: 25P02 if it was rolled back instead, or had been ended by something else;
  ///   `--OPE` if it is not open; or the server's, as for a deferred constraint: a block is then rolled
  ///   back, a savepoint still open.
  public func commit() throws(PGError) {
    switch state {
    case .committed: return
    case .open: try commitOpen()
    case .prepared:
      _ = try run("COMMIT PREPARED \(try quotedID())")
      state = .committed
    case .notStarted, .rolledBack: throw mistake("commit")
    }
  }

  /// Undoes everything since it started.
  ///
  /// Rolling back twice does nothing.
  ///
  /// - Throws: ``PGError``: `--OPE` if it has not started or was committed; the server's.
  ///
  /// In py-postgresql: `rollback()`, `abort()`.
  public func rollback() throws(PGError) { try rollback(until: .never) }

  /// The same; the session is over if the server has not answered in time.
  func rollback(until deadline: Deadline) throws(PGError) {
    switch state {
    case .rolledBack: return
    case .open: _ = try run(savepoint?.rollback ?? "ROLLBACK", until: deadline)
    case .prepared: _ = try run("ROLLBACK PREPARED \(try quotedID())")
    case .notStarted, .committed: throw mistake("roll back")
    }
    state = .rolledBack
  }

  /// Another name of ``start()``.
  public func begin() throws(PGError) { try start() }

  /// Another name of ``rollback()``.
  public func abort() throws(PGError) { try rollback() }

  /// Brings a block to the first phase of a two-phase commit: it outlives the session, and any session
  /// may commit it or roll it back.
  ///
  /// - Parameter globalID: A name that no other prepared transaction has; at most 199 bytes.
  /// - Throws: ``PGError``: `--OPE` for a savepoint, 25P02 if it was rolled back instead, or the
  ///   server's, as 55000 where `max_prepared_transactions` is 0.
  ///
  /// Source: PostgreSQL manual, PREPARE TRANSACTION.
  public func prepare(_ globalID: String) throws(PGError) {
    guard state == .open else { throw mistake("prepare") }
    if savepoint != nil { throw .operation("a savepoint cannot be prepared") }
    self.globalID = globalID
    try end("PREPARE TRANSACTION \(try quotedID())", expecting: "PREPARE TRANSACTION")
    state = .prepared
  }

  private func commitOpen() throws(PGError) {
    if let savepoint {
      _ = try run(savepoint.release)
    } else {
      try connection.becomeIdle()
      guard connection.transactionStatus != .idle else {
        state = .rolledBack
        throw .failedTransaction("the transaction was ended by something else than its object")
      }
      try end("COMMIT", expecting: "COMMIT")
    }
    state = .committed
  }

  /// Ends a block; whatever the answer, it is over unless the connection still says otherwise.
  private func end(_ command: String, expecting name: String) throws(PGError) {
    let tag: CommandTag?
    do throws(PGError) { tag = try run(command) } catch {
      if connection.transactionStatus == .idle || connection.isClosed { state = .rolledBack }
      throw error
    }
    guard tag?.name == name else {
      state = .rolledBack
      throw .failedTransaction("the transaction had failed, so it was rolled back")
    }
  }

  private func run(
    _ sql: String, until deadline: Deadline = .never
  ) throws(PGError) -> CommandTag? {
    try connection.run(sql, shownAs: .init("TRANSACTION", sql), until: deadline)
  }

  private func quotedID() throws(PGError) -> String {
    try SQL.quoteLiteral(
      globalID ?? "", standardConformingStrings: connection.hasConformingStrings)
  }

  private func mistake(_ verb: String) -> PGError {
    let reason =
      switch state {
      case .notStarted: "it has not started"
      case .open: "it is open"
      case .prepared: "it is prepared"
      case .committed: "it is committed"
      case .rolledBack: "it is rolled back"
      }
    return .operation("cannot \(verb) the transaction: \(reason)")
  }
}

extension PGError {
  /// A failed transaction was about to be taken for a good one.
  ///
  /// Its fault is the caller's, which tells it from the server's own 25P02.
  @inline(never)
  static func failedTransaction(_ message: String) -> PGError {
    PGError(
      code: .inFailedSqlTransaction, message: message, fault: .caller,
      hint: "An error inside a transaction must leave it: catch it outside.")
  }
}
