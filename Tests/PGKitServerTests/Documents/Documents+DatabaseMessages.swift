import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: the order from statement to the last hook, cursors, rows and loading, and every field, in
// MessageHookTests.

extension Documents {
  @Suite("Database Messages")
  struct DatabaseMessagesTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    /// What the server said when the document was written, it says to those who debug today.
    private static let level = "DEBUG1"
    private static let notice = "will create implicit index"

    private final class Display {
      var lines: [String] = []

      /// The last hook of a connection, in place of the process's.
      func show(_ message: ServerMessage) -> Bool {
        if message.message.contains(DatabaseMessagesTests.notice) { lines.append(message.message) }
        return true
      }
    }

    private func filterNotices(_ message: ServerMessage) -> Bool {
      message.severity == "NOTICE" || message.severity.hasPrefix("DEBUG")
    }

    @Test("Database Messages: a statement's hook keeps its own notices from being displayed")
    func statementFilter() throws {
      let display = Display()
      try db.settings.set("client_min_messages", to: Self.level)
      db.messageHook = display.show
      let ctThis = try db.prepare(#"CREATE TEMP TABLE "this" (i int PRIMARY KEY)"#)
      let ctThat = try db.prepare(#"CREATE TEMP TABLE "that" (i int PRIMARY KEY)"#)
      let that = try ctThat()
      #expect(
        display.lines == [
          #"CREATE TABLE / PRIMARY KEY will create implicit index "that_pkey" for table "that""#
        ])
      #expect(that.tag.name == "CREATE TABLE" && that.tag.rowCount == nil)
      ctThis.messageHook = filterNotices
      #expect(try ctThis().tag.name == "CREATE TABLE")
      #expect(display.lines.count == 1)
    }

    @Test("Database Messages: a connection's hook keeps those of all its statements")
    func connectionFilter() throws {
      let display = Display()
      var heard = 0
      try db.settings.set("client_min_messages", to: Self.level)
      var connector = db.connector
      // Whoever hears of what the connection lets pass; hooks of connectors may be called anywhere.
      connector.messageHook = { message in
        if message.message.contains(Self.notice) { Issue.record("propagated") }
        return true
      }
      let other = try connector.connect()
      try other.settings.set("client_min_messages", to: Self.level)
      other.messageHook = filterNotices
      let ctThis = try other.prepare(#"CREATE TEMP TABLE "this" (i int PRIMARY KEY)"#)
      let ctThat = try other.prepare(#"CREATE TEMP TABLE "that" (i int PRIMARY KEY)"#)
      #expect(try ctThat().tag.name == "CREATE TABLE")
      // A hook of a statement hears them all the same.
      ctThis.messageHook = { message in
        if message.message.contains(Self.notice) { heard += 1 }
        return display.show(message)
      }
      #expect(try ctThis().tag.name == "CREATE TABLE")
      #expect(heard == 1 && display.lines.count == 1)
    }

    @Test("Database Messages: a hook that returns false lets the next one hear")
    func propagation() throws {
      var heard: [String] = []
      db.messageHook = { _ in
        heard.append("connection")
        return true
      }
      let statement = try db.prepare("DROP TABLE IF EXISTS no_such_table")
      statement.messageHook = { message in
        heard.append("\(message.severity) \(message.code)")
        return false
      }
      try statement()
      #expect(heard == ["NOTICE 00000", "connection"])
    }

    // There `client_min_messages` is set to WARNING at every login. Here it is the server's own, notices
    // reach the hooks, and the last hook drops them unless it is told otherwise.
    @Test("Database Messages: client_min_messages is not changed")
    func clientMinMessages() throws {
      #expect(try db.settings["client_min_messages"] == "notice")
    }

    // MARK: Message Metadata

    private func heard(_ sql: String) throws -> ServerMessage {
      var messages: [ServerMessage] = []
      db.messageHook = {
        messages.append($0)
        return true
      }
      try db.execute(sql)
      return try #require(messages.first)
    }

    @Test("Message Metadata: message, code, source, location and details")
    func metadata() throws {
      let message = try heard(
        """
        DO $$ BEGIN RAISE WARNING SQLSTATE '01008' USING MESSAGE = 'm', DETAIL = 'd', HINT = 'h'; END $$
        """)
      #expect(message.message == "m" && "\(message.code)" == "01008")
      #expect(message.source == .server && message.source.rawValue == "SERVER")
      #expect(message.severity == "WARNING" && message.detail == "d" && message.hint == "h")
      #expect(message[.file] == "pl_exec.c" && message[.routine] == "exec_stmt_raise")
      let line = try #require(message[.line])
      #expect(message.location == "pl_exec.c:\(line) in exec_stmt_raise")
    }

    @Test("Message Metadata: the context names the function that it came from")
    func context() throws {
      try db.execute(
        """
        CREATE FUNCTION pg_temp.inner_f() RETURNS void LANGUAGE plpgsql AS
          $$ BEGIN RAISE NOTICE 'deep'; END $$;
        """)
      let message = try heard("DO $$ BEGIN PERFORM pg_temp.inner_f(); END $$")
      #expect(message.severity == "NOTICE")
      #expect(message.context?.contains("inner_f") == true)
    }

    @Test("Message Metadata: the position of a parse error, in the statement or in an internal one")
    func position() throws {
      let error = #expect(throws: PGError.self) { try db.prepare("SELECT é, nothing FROM") }
      #expect(error?.fields?.position == 23)
      let inner = #expect(throws: PGError.self) {
        try db.execute("DO $$ BEGIN EXECUTE 'SELECT nothing'; END $$")
      }
      #expect(inner?.fields?.position == nil)
      #expect(inner?.fields?[.internalQuery] == "SELECT nothing")
      #expect(inner?.fields?[.internalPosition] == "8")
    }

    @Test("Message Metadata: severities of errors")
    func severities() throws {
      let error = #expect(throws: PGError.self) { try db.execute("SELECT 1/0") }
      #expect(error?.fields?.severity == "ERROR" && error?.fields?.isFatal == false)
      let other = try db.clone()
      try db.query("SELECT pg_terminate_backend($1, 5000)", other.backendID)
      let fatal = #expect(throws: PGError.self) { try other.execute("SELECT 1") }
      #expect(fatal?.fields?.severity == "FATAL" && fatal?.fields?.isFatal == true)
    }
  }
}
