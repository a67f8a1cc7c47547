extension TargetSession {
  /// Whether a session just begun is with the kind of server asked for.
  ///
  /// Servers from 14 on report what is needed; older ones are asked.
  func accepts(_ connection: Connection) throws(PGError) -> Bool {
    switch self {
    case .any: true
    case .readWrite: try !connection.isReadOnly()
    case .readOnly: try connection.isReadOnly()
    case .primary: try !connection.isInRecovery()
    case .standby, .preferStandby: try connection.isInRecovery()
    }
  }
}

extension Connection {
  fileprivate func isInRecovery() throws(PGError) -> Bool {
    if let reported = reportedSetting("in_hot_standby") { return reported == "on" }
    return try answer(to: "SELECT pg_catalog.pg_is_in_recovery()") == "t"
  }

  fileprivate func isReadOnly() throws(PGError) -> Bool {
    if let reported = reportedSetting("default_transaction_read_only") {
      return reported == "on" ? true : try isInRecovery()
    }
    return try answer(to: "SHOW transaction_read_only") == "on"
  }

  /// The one value that a query without parameters gives, as text.
  private func answer(to sql: String) throws(PGError) -> String? {
    var exchange = Execution(sql: sql, parameters: BoundParameters(), resultFormats: [])
    var text: String?
    try begin(&exchange)
    while true {
      switch try link.pump(&exchange) {
      case .rows(let run): text = run.text(row: 0, column: 0) ?? text
      case .finished: return text
      default: break
      }
    }
  }
}
