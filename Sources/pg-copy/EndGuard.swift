internal import PGCommandLine
internal import PGKit

/// What keeps rows from a server or a database that they are not meant for.
struct EndGuard {
  private let connection: Connection

  init(_ connection: Connection) { self.connection = connection }

  /// The identifier of its cluster, which the copies of a data directory share.
  ///
  /// - Throws: ``PGError``: the server's, if it does not tell it to this user.
  func system() throws(PGError) -> String {
    try connection.query.first(
      "SELECT system_identifier::text FROM pg_catalog.pg_control_system()", as: String.self) ?? ""
  }

  /// The same; `nil` if the server does not tell it to this user, or is too old to know the question.
  func systemIfTold() throws(PGError) -> String? {
    do throws(PGError) { return try system() } catch {
      if error.code == .insufficientPrivilege || error.code == .undefinedFunction { return nil }
      throw error
    }
  }

  /// Makes sure that the server belongs to a cluster: another may have come to its address.
  ///
  /// - Throws: ``PGError`` 55000 if it is another one.
  func requireSystem(_ wanted: UInt64?) throws(PGError) {
    guard let wanted else { return }
    let found = try system()
    guard found != "\(wanted)" else { return }
    throw PGError(
      code: .objectNotInPrerequisiteState,
      message: "the server is of cluster \(found), and not of \(wanted)",
      fault: .caller, hint: "is this the server that is meant?")
  }

  /// Makes sure that the database may be stored in: `ALTER DATABASE app SET pgkit.protected = on` says
  /// that only who names it so may.
  ///
  /// - Throws: ``PGError`` 42501 if it is protected.
  func requireOpen(_ isNamed: Bool) throws(PGError) {
    if isNamed { return }
    let text =
      try connection.query.first(
        "SELECT pg_catalog.lower(coalesce(pg_catalog.current_setting('pgkit.protected', true), ''))",
        as: String.self) ?? ""
    guard !["", "off", "false", "no", "0"].contains(text) else { return }
    throw PGError(
      code: .insufficientPrivilege,
      message: "the database is protected by its setting pgkit.protected",
      fault: .caller, hint: "--to 'IRI;protected' stores there all the same")
  }
}
