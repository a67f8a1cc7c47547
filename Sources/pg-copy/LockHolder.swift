internal import PGKit

/// A session that has a table locked.
struct LockHolder: CustomStringConvertible {
  /// The server's process.
  let process: Int
  private let user: String
  private let application: String
  private let state: String
  private let query: String

  /// The most that is shown of a statement.
  private static let shownLength = 120

  /// Who has locked a table; others' statements are shown as far as the server shows them to this user.
  static func holders(of table: CopyTable, at server: ServerEnd) throws(PGError) -> [LockHolder] {
    let connection = try server.connectBeside()
    defer { connection.close() }
    let rows = try connection.query(
      """
      SELECT DISTINCT a.pid::bigint, coalesce(a.usename::text, ''), coalesce(a.application_name, ''),
        coalesce(a.state, ''),
        coalesce(pg_catalog.left(pg_catalog.regexp_replace(a.query, '\\s+', ' ', 'g'), $2), '')
      FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
      WHERE l.granted AND l.pid <> pg_catalog.pg_backend_pid()
        AND l.relation = $1::pg_catalog.text::pg_catalog.regclass
      ORDER BY 1 LIMIT 5
      """, try table.quotedName(), shownLength)
    var found: [LockHolder] = []
    for row in rows {
      found.append(
        LockHolder(
          process: try row[0, as: Int.self], user: try row[1, as: String.self],
          application: try row[2, as: String.self], state: try row[3, as: String.self],
          query: try row[4, as: String.self]))
    }
    return found
  }

  /// One line.
  var description: String {
    let name = application.isEmpty ? "" : " (\(application))"
    return "process \(process) of \(user)\(name) has it locked, \(state): \(query)"
  }
}
