import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

/// The sections "Settings", "Settings Interface Points" and "Settings Management".
@Suite("Settings", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct SettingsTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.connect() }

  @Test("what is set can be read, and what is read can be set")
  func getAndSet() throws {
    try db.settings.set("search_path", to: "\"$user\",public")
    #expect(try db.settings["search_path"] == "\"$user\",public")
    try db.settings.set("work_mem", to: "5MB")
    #expect(try db.settings["WORK_MEM"] == "5MB")
    try db.settings.set("timezone", to: "MST")
    #expect(try db.settings["TimeZone"] == "MST")
    let value = try db.settings["work_mem"]
    try db.settings.set("work_mem", to: value)
    #expect(try db.settings["work_mem"] == "5MB")
  }

  @Test("update sets several, or none")
  func update() throws {
    try db.settings.update([
      "search_path": "public", "default_statistics_target": "1000",
    ])
    #expect(
      try db.settings.values(for: ["search_path", "default_statistics_target"]) == [
        "search_path": "public", "default_statistics_target": "1000",
      ])
    let error = #expect(throws: PGError.self) {
      try db.settings.update([("search_path", "pg_catalog"), ("no_such", "1")])
    }
    #expect(error?.code == .undefinedObject)
    #expect(try db.settings["search_path"] == "public")
    try db.settings.update([String: String]())
  }

  @Test("names what is missing")
  func missing() throws {
    let error = #expect(throws: PGError.self) {
      try db.settings.values(for: ["port", "no_such", "nor_this"])
    }
    #expect(error?.code == .undefinedObject)
    #expect(error?.message == "there is no setting \"no_such\", \"nor_this\"")
    #expect(throws: PGError.self) { try db.settings["no_such"] }
    #expect(try db.settings.get("no_such") == nil)
    #expect(try db.settings.get("no_such", default: "x") == "x")
    #expect(try db.settings.get("port", default: "x") != "x")
    #expect(try db.settings.contains("port") && !db.settings.contains("no_such"))
    // To ask for what there is not does no harm to a transaction.
    try db.withTransaction { _ in
      #expect(throws: PGError.self) { try db.settings["no_such"] }
      #expect(db.transactionStatus == .inTransaction)
    }
  }

  @Test("lists all of them, the views consistent with each other")
  func lists() throws {
    let items = try db.settings.items()
    let (keys, values) = (try db.settings.keys(), try db.settings.values())
    #expect(items.count > 200)
    #expect(items.map(\.name) == keys && values.count == keys.count)
    #expect(try db.settings.count() == keys.count)
    #expect(try db.settings.values(for: keys).count == keys.count)
  }

  @Test("reset gives the default back")
  func reset() throws {
    let before = try db.settings["work_mem"]
    try db.settings.set("work_mem", to: "7MB")
    try db.settings.reset("work_mem")
    #expect(try db.settings["work_mem"] == before)
    #expect(throws: PGError.self) { try db.settings.reset("x; SELECT 1") }
  }

  @Test("transaction_isolation cannot be set here, as the document says")
  func isolation() throws {
    #expect(throws: PGError.self) {
      try db.withTransaction { _ in
        try db.execute("SELECT 1")
        try db.settings.set("transaction_isolation", to: "serializable")
      }
    }
  }

  private struct Own: Error {}

  @Test("scoped settings are restored on every way out")
  func scoped() throws {
    let names = ["search_path", "timezone"]
    let before = try db.settings.values(for: names)
    let changes = ["search_path": "pg_catalog", "timezone": "MST"]
    try db.settings.with(changes) { () throws in
      #expect(try db.settings.values(for: names) == changes)
    }
    #expect(try db.settings.values(for: names) == before)
    #expect(throws: Own.self) { try db.settings.with(changes) { throw Own() } }
    #expect(try db.settings.values(for: names) == before)
    #expect(throws: PGError.self) {
      try db.settings.with(changes) {
        try db.withTransaction { _ in try db.execute("SELEKT") }
      }
    }
    #expect(try db.settings.values(for: names) == before)
    #expect(throws: PGError.self) { try db.settings.with(["no_such": "1"]) {} }
  }

  @Test("scoped settings inside a failed block are restored as soon as it is over")
  func scopedInFailedBlock() throws {
    try db.settings.set("work_mem", to: "6MB")
    #expect(throws: PGError.self) {
      try db.settings.with(["work_mem": "9MB"]) { try db.execute("BEGIN; SELEKT") }
    }
    try db.settings.with(["work_mem": "9MB"]) {
      try db.execute("BEGIN")
      try? db.execute("SELEKT")
    }
    #expect(db.transactionStatus == .failed)
    try db.execute("ROLLBACK")
    #expect(try db.settings["work_mem"] == "6MB")
  }

  @Test("what cannot be restored later is a warning, and keeps nothing else from running")
  func notRestored() throws {
    let role = "limited_\(UInt64.random(in: 0...UInt64.max))"
    try db.execute("CREATE ROLE \(role)")
    var heard: [ServerMessage] = []
    db.messageHook = {
      heard.append($0)
      return true
    }
    try db.settings.with(["log_min_messages": "error"]) {
      try db.execute("SET SESSION AUTHORIZATION \(role)")
      try db.execute("BEGIN")
      try? db.execute("SELEKT")
    }
    try db.execute("ROLLBACK")
    try db.execute("SELECT 1")
    let warning = heard.first { $0.message.hasPrefix("settings could not be restored: ") }
    #expect(warning?.source == .client)
  }

  @Test("what cannot be restored after an error is a warning beside that error")
  func notRestoredAfterError() throws {
    let role = "limited_\(UInt64.random(in: 0...UInt64.max))"
    try db.execute("CREATE ROLE \(role)")
    var heard: [String] = []
    db.messageHook = {
      heard.append($0.message)
      return true
    }
    struct Mine: Error {}
    #expect(throws: Mine.self) {
      try db.settings.with(["log_min_messages": "error"]) {
        try db.execute("SET ROLE \(role)")
        throw Mine()
      }
    }
    #expect(heard.contains { $0.hasPrefix("settings could not be restored: ") })
    try db.execute("RESET ROLE")
  }

  @Test("a setting that there was not is empty afterwards")
  func custom() throws {
    try db.settings.with(["my.own": "1"]) { () throws in
      #expect(try db.settings["my.own"] == "1")
    }
    #expect(try db.settings["my.own"] == "")
  }
}
