internal import PGCommandLine
internal import PGKit

/// What keeps rows from a server or a database that they are not meant for.
struct EndGuard {
  private let connection: Connection

  init(_ connection: Connection) { self.connection = connection }

  /// Makes sure that the server belongs to a cluster: another may have come to its address.
  ///
  /// - Throws: ``PGError`` 55000 if it is another one.
  func requireSystem(_ wanted: UInt64?) throws(PGError) {
    guard let wanted else { return }
    let found = try connection.query.first(
      "SELECT system_identifier::text FROM pg_catalog.pg_control_system()", as: String.self)
    guard found != "\(wanted)" else { return }
    throw PGError(
      code: .objectNotInPrerequisiteState,
      message: "the server is of cluster \(found ?? "unknown"), and not of \(wanted)",
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
