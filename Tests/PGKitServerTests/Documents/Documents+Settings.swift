import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: `update`, `getset`, `keys`, `values`, `items`, resetting, transaction_isolation, and settings
// restored on every way out of a scope, in SettingsTests.

extension Documents {
  @Suite("Settings")
  struct SettingsTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    @Test("Settings: the standard dictionary interface sets one")
    func set() throws {
      try db.settings.set("search_path", to: "$user,public")
      #expect(try db.settings["search_path"] == "$user,public")
      #expect(try db.query.first("SHOW search_path", as: String.self) == "$user,public")
    }

    @Test("Settings: update sets several")
    func update() throws {
      try db.settings.update([
        "search_path": "$user,public", "default_statistics_target": "1000",
      ])
      #expect(try db.query.first("SHOW search_path", as: String.self) == "$user,public")
      #expect(try db.query.first("SHOW default_statistics_target", as: String.self) == "1000")
    }

    @Test("Settings Interface Points: update takes a sequence of pairs, too")
    func updatePairs() throws {
      try db.settings.update([("work_mem", "5MB"), ("timezone", "MST"), ("work_mem", "6MB")])
      #expect(try db.settings["work_mem"] == "6MB" && db.settings["timezone"] == "MST")
    }

    @Test("Settings Interface Points: getset gets several, and names those that do not exist")
    func getset() throws {
      let found = try db.settings.values(for: ["port", "server_encoding"])
      #expect(found.keys.sorted() == ["port", "server_encoding"])
      #expect(found["server_encoding"] == "UTF8")
      let error = #expect(throws: PGError.self) {
        try db.settings.values(for: ["port", "no_a", "no_b"])
      }
      #expect(error?.message.contains("no_a") == true && error?.message.contains("no_b") == true)
      #expect(error?.message.contains("port") == false)
    }

    @Test("Settings Management: a block runs with settings, which are restored afterwards")
    func scope() throws {
      let names = ["search_path", "timezone"]
      let before = try db.settings.values(for: names)
      let inside = try db.settings.with(["search_path": "local,public", "timezone": "mst"]) {
        try db.settings.values(for: names)
      }
      #expect(inside["search_path"] == "local,public" && inside["timezone"]?.uppercased() == "MST")
      #expect(try db.settings.values(for: names) == before)
    }
  }
}
