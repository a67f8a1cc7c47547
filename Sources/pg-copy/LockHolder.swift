internal import PGKit

/// Who has a table locked: a session, or a transaction that is prepared and waits for its end.
struct LockHolder: CustomStringConvertible {
  private enum Kind {
    case session(process: Int, application: String, state: String, query: String)
    case prepared(name: String)
  }

  private let user: String
  private let kind: Kind

  /// The most that is shown of a statement.
  private static let shownLength = 120

  /// The server's process; `nil` of a prepared transaction.
  var process: Int? {
    if case .session(let process, _, _, _) = kind { process } else { nil }
  }

  /// Whether it is what a run of this program has left behind.
  var isOfProgram: Bool {
    if case .prepared(let name) = kind { name.hasPrefix(PreparedName.prefix) } else { false }
  }

  /// Who has locked a table; others' statements are shown as far as the server shows them to this user.
  ///
  /// A prepared transaction has no process, but a lock on its own number, too.
  ///
  /// Sources: PostgreSQL manual, "pg_locks", "pg_prepared_xacts".
  static func holders(of table: CopyTable, at server: ServerEnd) throws(PGError) -> [LockHolder] {
    let connection = try server.connectBeside()
    defer { connection.close() }
    let rows = try connection.query(
      """
      SELECT DISTINCT a.pid::bigint, coalesce(a.usename::text, p.owner::text, ''),
        coalesce(a.application_name, ''), coalesce(a.state, ''),
        coalesce(p.gid, pg_catalog.left(pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g'), $2), '')
      FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
        LEFT JOIN pg_catalog.pg_locks x ON l.pid IS NULL AND x.pid IS NULL AND x.granted
          AND x.locktype = 'transactionid' AND x.virtualtransaction = l.virtualtransaction
        LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
      WHERE l.granted AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
        AND (a.pid IS NOT NULL OR p.gid IS NOT NULL)
        AND l.relation = $1::pg_catalog.text::pg_catalog.regclass
      ORDER BY 1 LIMIT 5
      """, try table.quotedName(), shownLength)
    var found: [LockHolder] = []
    for row in rows {
      let text = try row[4, as: String.self]
      let kind: Kind =
        if let process = try row[0, as: Int?.self] {
          .session(
            process: process, application: try row[2, as: String.self],
            state: try row[3, as: String.self], query: text)
        } else {
          .prepared(name: text)
        }
      found.append(LockHolder(user: try row[1, as: String.self], kind: kind))
    }
    return found
  }

  /// One line.
  var description: String {
    switch kind {
    case .session(let process, let application, let state, let query):
      let name = application.isEmpty ? "" : " (\(application))"
      return "process \(process) of \(user)\(name) has it locked, \(state): \(query)"
    case .prepared(let name): return "the prepared transaction '\(name)' of \(user) has it locked"
    }
  }
}
