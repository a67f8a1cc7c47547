// What errors say of the connection that they happened on.

extension Connection {
  /// This connection and its connector, as links of an error's chain of creators.
  var creators: [ErrorOrigin.Creator] {
    var words = [backendID == 0 ? "no server process" : "server process \(backendID)"]
    if let version = reportedSetting("server_version") { words.append("PostgreSQL \(version)") }
    words.append(isEncrypted ? "ssl" : "no ssl")
    if let transactionStatus, transactionStatus != .idle {
      words.append(transactionStatus == .failed ? "failed transaction" : "in a transaction")
    }
    return [
      .init(ErrorOrigin.Creator.connectionLabel, words.joined(separator: ", ")), connector.creator,
    ]
  }
}

extension Connector {
  /// This connector, as a link of an error's chain of creators: its IRI without the password.
  var creator: ErrorOrigin.Creator {
    .init("CONNECTOR", ConnectionIRI.format(options, obscuringPassword: true))
  }
}

extension PGError {
  /// The same error, said to have happened to `creator` on `connection`.
  func inside(_ creator: ErrorOrigin.Creator, of connection: Connection) -> PGError {
    connection.creators.reduce(inside(creator)) { $0.inside($1) }
  }
}
