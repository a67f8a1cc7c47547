extension TargetSession {
  /// Whether a session just begun is with the kind of server asked for.
  ///
  /// Servers from 14 on report what is needed; older ones are asked.
  func accepts(_ connection: Connection, until deadline: Deadline) throws(PGError) -> Bool {
    switch self {
    case .any: true
    case .readWrite: try !connection.isReadOnly(until: deadline)
    case .readOnly: try connection.isReadOnly(until: deadline)
    case .primary: try !connection.isInRecovery(until: deadline)
    case .standby, .preferStandby: try connection.isInRecovery(until: deadline)
    }
  }
}

extension Connection {
  fileprivate func isInRecovery(until deadline: Deadline) throws(PGError) -> Bool {
    if let reported = reportedSetting("in_hot_standby") { return reported == "on" }
    return try answer(to: "SELECT pg_catalog.pg_is_in_recovery()", until: deadline) == "t"
  }

  fileprivate func isReadOnly(until deadline: Deadline) throws(PGError) -> Bool {
    if let reported = reportedSetting("default_transaction_read_only") {
      return reported == "on" ? true : try isInRecovery(until: deadline)
    }
    return try answer(to: "SHOW transaction_read_only", until: deadline) == "on"
  }

  /// The one value that a query without parameters gives, as text.
  private func answer(to sql: String, until deadline: Deadline) throws(PGError) -> String? {
    var exchange = Execution(sql: sql, parameters: BoundParameters(), resultFormats: [])
    var text: String?
    try begin(&exchange)
    do throws(PGError) {
      while true {
        switch try link.pump(&exchange, until: deadline) {
        case .rows(let run): text = run.text(row: 0, column: 0) ?? text
        case .finished: return text
        default: break
        }
      }
    } catch { throw error.isTimeout ? .timedOut(connecting: true) : error }
  }
}
