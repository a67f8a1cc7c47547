// What a session is asked as a whole.

extension Connection {
  /// Runs code of a procedural language, without parameters and without a result.
  ///
  /// - Throws: ``PGError``: the server's; 42704 if there is no such language.
  ///
  /// In py-postgresql: `db.do(language, source)`. Source: PostgreSQL manual, DO.
  public func `do`(language: String, source: String) throws(PGError) {
    let name = try SQL.quoteIdentifier(language)
    let text = try SQL.quoteLiteral(source, standardConformingStrings: hasConformingStrings)
    try execute("DO LANGUAGE \(name) \(text)")
  }

  /// Makes another connection of the same connector, to wherever that leads now.
  ///
  /// In py-postgresql: `db.clone()`.
  public func clone() throws(PGError) -> Connection { try connector.connect() }

  /// Brings the session back to where it began: rolls back what is open, and drops temporary tables,
  /// held cursors, listening, advisory locks and changed settings.
  ///
  /// A ``Statement`` is prepared again when it is used again.
  ///
  /// (py-postgresql's does only `ABORT; RESET ALL`.) What the connector set at the start stays.
  ///
  /// Source: PostgreSQL manual, DISCARD.
  public func reset() throws(PGError) { try reset(by: .never) }

  /// The same; the session is over if the server has not answered in time.
  func reset(by deadline: Deadline) throws(PGError) {
    try leaveBlock(by: deadline)
    forgetPostponed()
    try execute("DISCARD ALL", until: deadline)
    generation += 1
  }

  /// Brings what is under way to its end, and rolls back what is open.
  func leaveBlock(by deadline: Deadline) throws(PGError) {
    try completeRunning(until: deadline)
    try requireOpen()
    if transactionStatus != .idle { try execute("ROLLBACK", until: deadline) }
  }

  /// What the server says of its version: `PostgreSQL 15.18 (Debian …) on x86_64-…`.
  public func version() throws(PGError) -> String {
    try query.first("SELECT pg_catalog.version()", as: String.self) ?? ""
  }

  /// When the session began, by the server's clock.
  public func backendStart() throws(PGError) -> PGTimestampTZ? {
    try query.first(Self.activity("backend_start"), as: PGTimestampTZ?.self) ?? nil
  }

  /// The address from which the server sees this client come; `nil` over a Unix-domain socket.
  public func clientAddress() throws(PGError) -> String? {
    try query.first(Self.activity("pg_catalog.host(client_addr)"), as: String?.self) ?? nil
  }

  /// The port from which the server sees this client come; `nil` over a Unix-domain socket.
  ///
  /// (py-postgresql gives −1 there, as the server does.)
  public func clientPort() throws(PGError) -> Int? {
    let port: Int? = try query.first(Self.activity("client_port"), as: Int?.self) ?? nil
    return port == -1 ? nil : port
  }

  private static func activity(_ column: String) -> String {
    "SELECT \(column) FROM pg_catalog.pg_stat_activity "
      + "WHERE pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"
  }
}
