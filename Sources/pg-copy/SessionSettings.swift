internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// The settings that a session has for its transaction, as statements: neither what the data looks like nor
/// how the transaction ends must depend on two servers' configurations.
///
/// Whoever has set a limit, by whatever means, keeps it.
struct SessionSettings {
  let connection: Connection
  let options: ConnectionOptions
  /// The encoding that the data has there; `nil` if what the options say holds.
  let encoding: String?
  /// How long a statement may take.
  let statementLimit: Duration?

  /// For a transaction that reads.
  var reading: String { limits() + formats }

  /// For a transaction that stores.
  var storing: String {
    // A lock that nobody gives up must not hold the source's snapshot for ever.
    limits([("lock_timeout", "5s")]) + formats
  }

  /// Has a table read from its first block on, and not from where another session is.
  static let order = "; SET LOCAL synchronize_seqscans = off"

  // MARK: Limits

  /// Has the server notice as soon as we do that the other end has vanished without a word: until then the
  /// session holds its locks, or its snapshot.
  ///
  /// That is no part of the transaction, at whose end it would be forgotten before the server's answer
  /// has come through. Behind a pooler, whose clients are not the server's, it is left alone.
  var noticingLoss: String {
    let values = [
      ("tcp_keepalives_idle", options.keepalivesIdle),
      ("tcp_keepalives_interval", options.keepalivesInterval),
      ("tcp_keepalives_count", options.keepalivesCount),
      ("tcp_user_timeout", options.tcpUserTimeout),
    ].map { ($0, String(min(max($1 ?? 0, 0), Int(Int32.max)))) }
    return
      "\(Self.setting(values, isLocal: false)) AND pg_catalog.pg_backend_pid() = \(connection.backendID)"
  }

  /// Lets statements take as long as they do; `nil` if they do so already.
  var liftingLimit: String? {
    limit.map { limit in
      """
      SELECT pg_catalog.set_config(name, '0', true) FROM pg_catalog.pg_settings \
      WHERE name = 'statement_timeout' AND setting = '\(limit)'
      """
    }
  }

  private func limits(_ others: [(name: String, value: String)] = []) -> String {
    let own = limit.map { [("statement_timeout", $0)] } ?? []
    return others.isEmpty && own.isEmpty ? "" : Self.setting(others + own, isLocal: true) + "; "
  }

  /// The limit as the server has it, in milliseconds.
  private var limit: String? {
    statementLimit.map { String(min($0.wholeMilliseconds, Int64(Int32.max))) }
  }

  /// The statement that sets something.
  private static func setting(_ values: [(String, String)], isLocal: Bool) -> String {
    let rows = values.map { "('\($0)', '\($1)')" }.joined(separator: ", ")
    return """
      SELECT pg_catalog.set_config(s.name, v.value, \(isLocal)) FROM pg_catalog.pg_settings AS s \
      JOIN (VALUES \(rows)) AS v(name, value) ON v.name = s.name WHERE s.source = 'default'
      """
  }

  // MARK: What values look like

  private var formats: String {
    let canIdle = connection.serverVersion >= ServerVersion(major: 9, minor: 6)
    return
      "SET LOCAL extra_float_digits = 3; SET LOCAL DateStyle = ISO; SET LOCAL IntervalStyle = postgres; "
      + "SET LOCAL bytea_output = hex"
      + (encodingToSet.map { "; SET LOCAL client_encoding = \($0)" } ?? "")
      + (canIdle ? "; SET LOCAL idle_in_transaction_session_timeout = 0" : "")
  }

  /// The encoding to name to the server; `nil` if what the options say holds.
  ///
  /// Never SQL_ASCII where the database is something else: COPY would then store any bytes at all,
  /// unchecked. Named its own encoding instead, a server takes them as they are, and checks them.
  private var encodingToSet: String? {
    let own = connection.reportedSetting("server_encoding")
    let asked = encoding ?? connection.reportedSetting("client_encoding")
    if asked == ServerEnd.unknownEncoding { return own }
    return encoding ?? (own == ServerEnd.unknownEncoding && !hasAskedForEncoding ? own : nil)
  }

  private var hasAskedForEncoding: Bool {
    options.clientEncoding != nil
      || options.settings.contains { $0.name.lowercased() == "client_encoding" }
  }
}
