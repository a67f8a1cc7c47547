/// Databases for tests: each is a copy of a template, which is made of files of SQL by the first to need
/// it.
///
/// The template's name says what it was made of, so that other files are another template; nobody can
/// connect to it, so that a copy is always possible. It stays on the server until it is removed.
///
/// ```swift
/// let template = try TemplateDatabase(files: ["migrations"])
/// let options = try template.makeDatabase(on: server)
/// ```
public struct TemplateDatabase: Sendable {
  /// What the names of templates begin with.
  public static let prefix = "pgkit_template_"
  /// What the names of databases begin with that are given none.
  public static let testPrefix = "pgkit_test_"

  /// The template's name: ``prefix`` and 32 digits of the SHA-256 of the files.
  public let name: String
  private let files: [SeedFile]

  /// Reads files of SQL; of a directory, every `*.sql` in the order of their names.
  ///
  /// - Throws: ``PGError`` `-Cini` that names what cannot be read.
  public init(files paths: [String]) throws(PGError) {
    files = try SeedFile.read(paths)
    var digests: [String] = []
    for file in files { digests.append(try file.digest()) }
    let whole = SeedFile(path: "", bytes: Array(digests.joined(separator: "\n").utf8))
    name = Self.prefix + String(try whole.digest().prefix(32))
  }

  /// Makes a database, and the template if the server has none yet.
  ///
  /// Programs that need the template at the same time wait for the first of them.
  ///
  /// - Parameters:
  ///   - options: How to reach the server as one who may create databases.
  ///   - database: The new database's name; by default one that nobody has.
  /// - Returns: Options for a connection to the new database.
  /// - Throws: ``PGError`` of the server, as `42P04` if there is such a database; `-Cini` that names the
  ///   file that failed, and nothing is left then.
  public func makeDatabase(
    on options: ConnectionOptions, named database: String? = nil
  ) throws(PGError) -> ConnectionOptions {
    let database = if let database { database } else { try Self.freeName() }
    let connection = try Self.connect(options)
    defer { connection.close() }
    try makeTemplate(connection, options)
    let quoted = try SQL.quoteIdentifier(database)
    try connection.execute(
      "CREATE DATABASE \(quoted) TEMPLATE \(name)\(try Self.strategy(on: connection))")
    try connection.execute("COMMENT ON DATABASE \(quoted) IS '\(Self.mark)'")
    var result = options
    result.database = database
    return result
  }

  /// How the server is to copy: files, where it need not force them to the disk, in less than half the
  /// time that writing all of them to the log takes; by clones, where it and the file system know those.
  ///
  /// Where files are forced, two checkpoints make that ten times slower.
  ///
  /// Source: PostgreSQL manual, "CREATE DATABASE", "file_copy_method".
  private static func strategy(on connection: Connection) throws(PGError) -> String {
    let isCareless = try connection.query.first(
      "SELECT current_setting('fsync') = 'off'", as: Bool.self)
    let major = connection.serverVersion.major
    guard isCareless == true, major >= 15 else { return "" }
    if major >= 18 { try connection.execute("SET file_copy_method = clone") }
    return " STRATEGY FILE_COPY"
  }

  /// Removes a database that ``makeDatabase(on:named:)`` has made, whoever is connected to it.
  ///
  /// - Parameters:
  ///   - database: Its name.
  ///   - options: How to reach the server.
  ///   - evenIfOther: Whether one that somebody else has made is removed, too.
  /// - Throws: ``PGError`` of the server, as `3D000` if there is none of that name; `-C000` for one that
  ///   was made otherwise.
  public static func remove(
    _ database: String, on options: ConnectionOptions, evenIfOther: Bool = false
  ) throws(PGError) {
    let connection = try connect(options)
    defer { connection.close() }
    let remark = try connection.query.first(
      "SELECT coalesce(pg_catalog.shobj_description(oid, 'pg_database'), '') "
        + "FROM pg_catalog.pg_database WHERE datname = $1", database, as: String.self)
    if let remark, remark != mark, !evenIfOther {
      throw .cluster(
        "database \"\(database)\" was not made for a test by PGKit; it is left alone",
        hint: "DROP DATABASE removes it.")
    }
    try connection.execute("DROP DATABASE \(try SQL.quoteIdentifier(database)) WITH (FORCE)")
  }

  /// The comment by which the databases are known.
  private static let mark = "made for a test by PGKit"

  /// Connects to the database that all have in common, because locks are a database's own, and a
  /// database that is used cannot be copied or removed.
  private static func connect(_ options: ConnectionOptions) throws(PGError) -> Connection {
    var common = options
    common.database = "postgres"
    do throws(PGError) { return try Connector(common).connect() } catch {
      guard error.code == .invalidCatalogName else { throw error }
      return try Connector(options).connect()
    }
  }

  private static func freeName() throws(PGError) -> String {
    do {
      let digits = Hexadecimal.encode(try SecureRandom.bytes(8))
      return testPrefix + String(decoding: digits, as: UTF8.self)
    } catch { throw .cluster("could not make a name", cause: error) }
  }

  /// Makes the template while nobody else does.
  ///
  /// One that a killed program has left unfinished still lets connections in.
  private func makeTemplate(
    _ connection: Connection, _ options: ConnectionOptions
  ) throws(PGError) {
    if try isFinished(connection) { return }
    let key = "hashtextextended('\(name)', 0)"
    try connection.execute("SELECT pg_advisory_lock(\(key))")
    var failure: PGError?
    do throws(PGError) {
      if try !isFinished(connection) { try fill(connection, options) }
    } catch { failure = error }
    do throws(PGError) { try connection.execute("SELECT pg_advisory_unlock(\(key))") } catch {
      failure = failure ?? error
    }
    if let failure { throw failure }
  }

  private func isFinished(_ connection: Connection) throws(PGError) -> Bool {
    try connection.query.first(
      "SELECT true FROM pg_catalog.pg_database WHERE datname = $1 AND NOT datallowconn", name,
      as: Bool.self) == true
  }

  private func fill(_ connection: Connection, _ options: ConnectionOptions) throws(PGError) {
    let drop = "DROP DATABASE IF EXISTS \(name) WITH (FORCE)"
    try connection.execute(drop)
    try connection.execute("CREATE DATABASE \(name)")
    do throws(PGError) {
      var inside = options
      inside.database = name
      for file in files { try file.run(on: inside) }
      try connection.execute("ALTER DATABASE \(name) WITH IS_TEMPLATE true ALLOW_CONNECTIONS false")
    } catch {
      // What went wrong first is told.
      do throws(PGError) { try connection.execute(drop) } catch {}
      throw error
    }
  }
}
