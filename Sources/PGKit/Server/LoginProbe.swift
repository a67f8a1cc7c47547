internal import PGErrorCodes

extension Cluster {
  /// What a login tells about the server that answers.
  enum LoginAnswer {
    /// It succeeded, and this is the server's data directory.
    case dataDirectory(String)
    /// The server answered, and does not let us in or does not show its directory.
    case refused(PGError)
    /// No server accepts logins yet.
    case notYet(String)
  }

  /// The longest that one trial may take, in seconds; the next comes at once.
  private static let patience = 10

  /// Logs in once and asks for the data directory.
  static func loginAnswer(
    at address: ClusterAddress, _ database: String, until deadline: Deadline
  ) -> LoginAnswer {
    let soon = deadline.earlier(.after(.seconds(patience)))
    var options = address.connectionOptions(database: database)
    options.sslMode = .disable
    options.connectTimeout = patience
    options.applicationName = "pgkit-cluster"
    do throws(PGError) {
      let connection = try Connector(options).connect(until: deadline)
      defer { connection.close() }
      let directory = try connection.query.text("SHOW data_directory", until: soon).first()
      guard let directory else { return .notYet("it did not say where its data is") }
      return .dataDirectory(try directory[0, as: String.self])
    } catch {
      return answer(to: error)
    }
  }

  /// Whoever refuses with a reason of its own is up; everything else may be tried again.
  private static func answer(to error: PGError) -> LoginAnswer {
    if error.fault == .server && error.code != .cannotConnectNow { return .refused(error) }
    if error.code == .authenticationMethodError || error.code == .insecurityError {
      return .refused(error)
    }
    if error.code == .clientParameterError || error.code == .invalidPassword {
      return .refused(error)
    }
    return .notYet(error.message)
  }
}
