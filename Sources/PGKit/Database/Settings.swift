import PGErrorCodes

/// The settings of a session, by name.
///
/// Values are as SHOW gives them and SET takes them, units included (`4MB`); names are in upper or lower
/// case. (py-postgresql reads raw numbers and writes with units, so that what is read cannot be
/// written back.) Nothing is cached. Inside a transaction block that is rolled back, changes are undone.
///
/// `transaction_isolation` can be read, but not set here: see
/// ``Connection/transaction(isolation:mode:deferrable:)``.
///
/// In py-postgresql: `postgresql.api.Settings`, `db.settings`. Source: PostgreSQL manual, "Configuration
/// Settings Functions".
public struct Settings {
  let connection: Connection

  /// The value of a setting.
  ///
  /// - Throws: ``PGError`` 42704 if there is no such setting; that does not harm a transaction.
  public subscript(_ name: String) -> String {
    get throws(PGError) { try values(for: [name])[name] ?? "" }
  }

  /// Whether there is a setting of this name.
  public func contains(_ name: String) throws(PGError) -> Bool {
    try !present([name]).isEmpty
  }

  /// The number of settings that the user may see.
  public func count() throws(PGError) -> Int { try items().count }

  /// The value of a setting, or `fallback` if there is no such setting.
  public func get(
    _ name: String, default fallback: String? = nil
  ) throws(PGError) -> String? {
    try present([name])[name] ?? fallback
  }

  /// Changes a setting for the session.
  ///
  /// - Throws: ``PGError``: the server's, 42704 if there is no such setting, 22023 for a wrong value.
  public func set(_ name: String, to value: String) throws(PGError) {
    try update([(name, value)])
  }

  /// Changes several settings in one request: all of them, or none.
  ///
  /// In py-postgresql: `db.settings.update(...)`.
  public func update(_ changes: [(name: String, value: String)]) throws(PGError) {
    guard !changes.isEmpty else { return }
    let calls = changes.indices.map {
      "pg_catalog.set_config($\(2 * $0 + 1), $\(2 * $0 + 2), false)"
    }
    // A function's row rather than a list of columns, of which a query may have only so many.
    let texts = changes.flatMap { [$0.name, $0.value] }
    try connection.query.text("VALUES (" + calls.joined(separator: "), (") + ")", texts).finish()
  }

  /// Changes several settings in one request: all of them, or none.
  public func update(_ changes: [String: String]) throws(PGError) {
    try update(changes.map { ($0.key, $0.value) })
  }

  /// The values of several settings, in one request.
  ///
  /// - Throws: ``PGError`` 42704 naming every one that is missing.
  ///
  /// In py-postgresql: `db.settings.getset(names)`.
  public func values(for names: [String]) throws(PGError) -> [String: String] {
    let found = try present(names)
    let missing = Set(names).subtracting(found.keys).sorted()
    guard missing.isEmpty else {
      throw PGError(
        code: .undefinedObject,
        message: "there is no setting \(missing.map { "\"\($0)\"" }.joined(separator: ", "))",
        fault: .caller)
    }
    return found
  }

  /// Gives a setting its default value again: what it had when the session began.
  ///
  /// In py-postgresql: `del db.settings[name]`. Source: PostgreSQL manual, RESET.
  public func reset(_ name: String) throws(PGError) {
    try connection.execute("RESET \(try Self.quoted(name))")
  }

  /// All settings that the user may see, in the order of their names.
  public func items() throws(PGError) -> [(name: String, value: String)] {
    let rows = try connection.query.text(
      "SELECT name, pg_catalog.current_setting(name, true) FROM pg_catalog.pg_settings ORDER BY 1")
    var items: [(name: String, value: String)] = []
    while let batch = try rows.next() {
      for row in batch {
        items.append((try row[0, as: String.self], try row[1, as: String?.self] ?? ""))
      }
    }
    return items
  }

  /// The names of all settings that the user may see, in order.
  public func keys() throws(PGError) -> [String] { try items().map(\.name) }

  /// The values of all settings that the user may see, in the order of the names.
  public func values() throws(PGError) -> [String] { try items().map(\.value) }

  /// Runs `body` with other settings, and gives them back the values that they had before.
  ///
  /// They are given back on every way out. Where a transaction fails inside `body` and stays open, the
  /// server refuses everything until it is rolled back: they are given back before the next operation
  /// after that.
  ///
  /// - Throws: What `body` throws; ``PGError``: the server's if a setting or value is wrong.
  ///
  /// In py-postgresql: `with db.settings(search_path = …):`.
  @discardableResult
  public func with<Result>(
    _ changes: [String: String], _ body: () throws -> Result
  ) throws -> Result {
    let before = try present(Array(changes.keys))
    let unset = changes.keys.filter { before[$0] == nil }
    try update(changes)
    let result: Result
    do { result = try body() } catch {
      // What went wrong first is what is told.
      do throws(PGError) { try restore(before, unset) } catch let second {
        if !connection.isClosed {
          connection.deliver(.warning(second.code, "\(Self.complaint): \(second.message)"))
        }
      }
      throw error
    }
    try restore(before, unset)
    return result
  }

  private static let complaint = "settings could not be restored"

  private func restore(_ values: [String: String], _ unset: [String]) throws(PGError) {
    try connection.becomeIdle()
    if connection.transactionStatus == .failed {
      return connection.postpone(complaint: Self.complaint) {
        (connection) throws(PGError) in
        try Settings(connection: connection).giveBack(values, unset)
      }
    }
    try giveBack(values, unset)
  }

  private func giveBack(_ values: [String: String], _ unset: [String]) throws(PGError) {
    try update(values)
    for name in unset { try reset(name) }
  }

  /// The values of those settings that there are.
  private func present(_ names: [String]) throws(PGError) -> [String: String] {
    guard !names.isEmpty else { return [:] }
    let list = names.indices.map { "($\($0 + 1))" }.joined(separator: ", ")
    let rows = try connection.query.text(
      "SELECT n, pg_catalog.current_setting(n, true) FROM (VALUES \(list)) AS names(n)", names)
    var values: [String: String] = [:]
    while let batch = try rows.next() {
      for row in batch {
        if let value = try row[1, as: String?.self] { values[try row[0, as: String.self]] = value }
      }
    }
    return values
  }

  /// A name of several parts, such as `my.setting`, is one for each part.
  private static func quoted(_ name: String) throws(PGError) -> String {
    try SQL.qualifiedName(
      name.split(separator: ".", omittingEmptySubsequences: false).map(String.init))
  }
}

extension Connection {
  /// The session's settings.
  ///
  /// In py-postgresql: `db.settings`.
  public var settings: Settings { Settings(connection: self) }
}
