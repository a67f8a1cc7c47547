import Foundation
import PGErrorCodes
import PGKit
import PGTestCluster
import Synchronization
import Testing

/// The sections "Database Messages" and "Message Metadata".
@Suite(
  "Messages", .serialized, .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed")
)
struct MessageHookTests {
  private let server: TestServer

  init() throws { server = try TestServer.shared.get() }

  /// What was heard, and by whom.
  private final class Log: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    func hook(_ who: String, deals: Bool = false) -> @Sendable (ServerMessage) -> Bool {
      { [self] message in
        lines.withLock { $0.append("\(who): \(message.message)") }
        return deals
      }
    }
  }

  private static func raising(_ text: String) -> String {
    "CREATE FUNCTION pg_temp.say(text) RETURNS int LANGUAGE plpgsql AS "
      + "$$ BEGIN RAISE \(text) '%', $1; RETURN 1; END $$"
  }

  @Test("go from the cursor to the statement, the connection, the connector and to all")
  func order() throws {
    let log = Log()
    var connector = Connector(try OptionSources.standard(iri: server.iri()))
    connector.messageHook = log.hook("connector")
    let db = try connector.connect()
    try db.execute(Self.raising("WARNING"))
    db.messageHook = log.hook("connection")
    let process = db.backendID
    Messages.hook = { message in
      // Other tests have connections, too.
      if message.report.contains("server process \(process),") { _ = log.hook("all")(message) }
    }
    defer { Messages.resetHook() }
    let statement = try db.prepare("SELECT pg_temp.say($1)")
    statement.messageHook = log.hook("statement")
    _ = try statement("call")
    #expect(
      log.all == ["statement: call", "connection: call", "connector: call", "all: call"])
    try db.execute("SELECT pg_temp.say('script')")
    #expect(
      log.all.dropFirst(4) == ["connection: script", "connector: script", "all: script"])
  }

  @Test("stop where somebody deals with them, and only for what comes from there")
  func stops() throws {
    let log = Log()
    let db = try server.connect()
    try db.execute(Self.raising("WARNING"))
    db.messageHook = log.hook("connection", deals: true)
    let (first, second) = (try db.prepare("SELECT pg_temp.say('a')"), try db.clone())
    second.messageHook = log.hook("other", deals: true)
    let other = try db.prepare("SELECT pg_temp.say('b')")
    first.messageHook = log.hook("statement", deals: true)
    _ = try first()
    _ = try other()
    first.messageHook = nil
    _ = try first()
    #expect(log.all == ["statement: a", "connection: b", "connection: a"])
  }

  @Test("of a cursor, of rows and of loading reach their own hooks")
  func sources() throws {
    let log = Log()
    let db = try server.connect()
    try db.execute(Self.raising("WARNING"))
    db.messageHook = log.hook("connection", deals: true)
    let statement = try db.prepare("SELECT pg_temp.say($1) FROM generate_series(1, 2)")
    statement.messageHook = log.hook("statement", deals: true)
    let rows = try statement.rows("rows")
    while try rows.next() != nil {}
    try statement.loadRows([["load"]])
    try db.execute("BEGIN; DECLARE c CURSOR FOR SELECT pg_temp.say('fetch')")
    let cursor = try db.cursor(id: "c")
    cursor.messageHook = log.hook("cursor", deals: true)
    _ = try cursor.read()
    try db.execute("ROLLBACK")
    let abandoned = try statement.rows("kept")
    try db.execute("SELECT pg_temp.say('next')")
    _ = try abandoned.next()
    #expect(
      log.all == [
        "statement: rows", "statement: rows", "statement: load", "statement: load", "cursor: fetch",
        "statement: kept", "statement: kept", "connection: next",
      ])
  }

  @Test("have every field that the server sends, and a page that shows them")
  func metadata() throws {
    let db = try server.connect()
    var heard: [ServerMessage] = []
    db.messageHook = {
      heard.append($0)
      return true
    }
    try db.execute(
      """
      DO $$ BEGIN RAISE WARNING SQLSTATE '01008' USING MESSAGE = 'm', DETAIL = 'd', HINT = 'h',
        SCHEMA = 's', TABLE = 't', COLUMN = 'c', DATATYPE = 'y', CONSTRAINT = 'n'; END $$
      """)
    let message = try #require(heard.first)
    #expect(heard.count == 1)
    #expect(message.severity == "WARNING" && "\(message.code)" == "01008")
    #expect(message.message == "m" && message.detail == "d" && message.hint == "h")
    #expect(message[.schema] == "s" && message[.table] == "t" && message[.column] == "c")
    #expect(message[.dataType] == "y" && message[.constraint] == "n")
    #expect(message[.file] == "pl_exec.c" && message[.routine] == "exec_stmt_raise")
    for part in ["WARNING 01008: m\n", "DETAIL: d\n", "HINT: h\n", "CONSTRAINT: n\n", "pl_exec.c"] {
      #expect(message.report.contains(part))
    }
  }

  /// What goes to standard error meanwhile, from whomever.
  private func standardError(during body: () throws -> Void) throws -> String {
    let file = try #require(tmpfile())
    defer { fclose(file) }
    let own = dup(STDERR_FILENO)
    dup2(fileno(file), STDERR_FILENO)
    defer { close(own) }
    do {
      defer { dup2(own, STDERR_FILENO) }
      try body()
    }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = pread(fileno(file), &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }

  @Test("postgresql.sys: what nobody hears goes to standard error, if it warns")
  func lastHook() throws {
    let db = try server.connect()
    let script = "DO $$ BEGIN RAISE WARNING 'nobody hears %', 1; RAISE NOTICE 'nor %', 2; END $$"
    for isReset in [false, true] {
      if isReset {
        let log = Log()
        let process = db.backendID
        Messages.hook = { message in
          if message.report.contains("server process \(process),") { _ = log.hook("all")(message) }
        }
        #expect(try !standardError { try db.execute(script) }.contains("nobody hears 1"))
        #expect(log.all == ["all: nobody hears 1", "all: nor 2"])
        Messages.resetHook()
      }
      let text = try standardError { try db.execute(script) }
      #expect(text.contains("WARNING 01000: nobody hears 1\n") && !text.contains("nor 2"))
    }
  }

  @Test("errors are shown as their format says")
  func errorFormat() throws {
    let error = PGError(code: .syntaxError, message: "m", fault: .caller)
    #expect(Messages.errorFormat(error) == error.report)
    // Other tests show errors, too.
    Messages.errorFormat = { $0.message == "m" ? "<\($0.code)>" : $0.fullReport }
    #expect(Messages.errorFormat(error) == "<42601>")
    #expect(error.report == "<42601>" && error.fullReport == "ERROR 42601: m")
    Messages.resetErrorFormat()
    #expect(error.report == "ERROR 42601: m")
  }

  @Test("the last hook and the format are as quick after a million questions as before")
  func noGrowth() throws {
    for _ in 0..<1_000_000 { _ = Messages.hook }
    Messages.hook(ServerMessage([(.severity, "NOTICE"), (.message, "nobody hears this")]))
    let error = PGError(code: .syntaxError, message: "quick", fault: .caller)
    for _ in 0..<1_000_000 { _ = Messages.errorFormat }
    #expect(error.report == "ERROR 42601: quick")
  }

  @Test("what open() passes over is told to the last hook, before anything is contacted")
  func openingWarnings() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "pass-\(UUID().uuidString)")
    try "*:*:*:*:secret\n".write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
    let path = file.path
    let heard = Mutex<[ServerMessage]>([])
    Messages.hook = { message in
      if message.message.contains(path) { heard.withLock { $0.append(message) } }
    }
    defer { Messages.resetHook() }
    let db = try PGKit.open(server.iri(options: ["passfile=\(path)"]))
    #expect(try db.query.first("SELECT 1", as: Int.self) == 1)
    let message = try #require(heard.withLock { $0 }.first)
    #expect(message.code == .ignoredClientParameterWarning && message.source == .client)
    #expect(message.message.contains("group or world access"))
  }
}
