import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: 237 texts, as py-postgresql splits and quotes them or as it should, in PGKitTests' SQL.

extension Documents {
  @Suite("postgresql.string")
  struct PostgresqlStringTests {
    private let db: Connection

    init() throws { db = try TestServer.shared.connect() }

    /// Texts that could end a quote, or mean something to someone.
    private static let texts = [
      "plain", "it's", "say \"x\"", "back\\slash", "select", "Foo", "a.b", "$$", "é😀", " ", "a\nb",
      "--", "'; DROP TABLE x; --",
    ]

    @Test(
      "postgresql.string: quote_literal and escape_literal mean the text again", arguments: texts)
    func literals(text: String) throws {
      #expect(
        try db.query.first("SELECT \(SQL.quoteLiteral(text))", as: String.self) == text)
      #expect(
        try db.query.first("SELECT '\(SQL.escapeLiteral(text))'", as: String.self) == text)
    }

    @Test("postgresql.string: quote_ident and its kin mean the name again", arguments: texts)
    func identifiers(text: String) throws {
      let quoted = [
        try SQL.quoteIdentifier(text), "\"\(try SQL.escapeIdentifier(text))\"",
        try SQL.quoteIdentifierIfNeeded(text),
      ]
      for name in quoted {
        #expect(try db.query("SELECT 1 AS \(name)").columns.map(\.name) == [text])
      }
    }

    @Test("postgresql.string: qname quotes each part and joins them with a point")
    func qualifiedNames() throws {
      #expect(try SQL.qualifiedName("pg_catalog", "it\"s") == #""pg_catalog"."it""s""#)
      let name = try SQL.qualifiedName("pg_temp", "My Table")
      try db.execute("CREATE TABLE \(name)(i int)")
      #expect(try db.query("SELECT * FROM \(name)").isEmpty)
      #expect(try SQL.splitQualifiedName(name) == ["pg_temp", "My Table"])
    }

    @Test("postgresql.string: split_ident splits a series of identifiers")
    func splitIdentifiers() throws {
      #expect(try SQL.splitIdentifiers(#"foo, Bar,"Quux, x" "#) == ["foo", "bar", "Quux, x"])
      // As the server splits the list that SHOW gives.
      try db.settings.set("search_path", to: #""My, schema", public,Pg_catalog"#)
      #expect(
        try SQL.splitIdentifiers(db.settings["search_path"])
          == ["My, schema", "public", "pg_catalog"])
    }

    @Test("postgresql.string: split gives unquoted and quoted portions")
    func split() {
      // There an empty text stands behind the quote; here a plain portion is never empty.
      #expect(
        SQL.split("select $$foobar$$") == [
          .plain("select "), .quoted(opening: "$$", content: "foobar"),
        ])
    }

    @Test("postgresql.string: split never fails; a quote without an end says so")
    func unterminated() {
      let portions = SQL.split("select 'foo")
      #expect(
        portions == [
          .plain("select "), .quoted(opening: "'", content: "foo", isTerminated: false),
        ])
      #expect(SQL.unsplit(portions) == "select 'foo")
    }

    @Test("postgresql.string: split_sql gives statements, each of them split")
    func splitSQL() {
      #expect(
        SQL.splitSQL(#"select $$1$$ AS "foo;"; select 2;"#) == [
          [
            .plain("select "), .quoted(opening: "$$", content: "1"), .plain(" AS "),
            .quoted(opening: "\"", content: "foo;"),
          ],
          [.plain(" select 2")],
          [],
        ])
    }

    @Test("postgresql.string: split_sql_str gives them as texts, which the server runs")
    func splitSQLStrings() throws {
      let statements = SQL.splitSQLStrings(#"select $$1$$ AS "foo;"; select 2;"#)
      #expect(statements == [#"select $$1$$ AS "foo;""#, " select 2", ""])
      #expect(try db.query(statements[0]).columns.map(\.name) == ["foo;"])
      #expect(try db.query.first(statements[1], as: Int.self) == 2)
      #expect(try db.query(statements[2]).isEmpty)
    }

    @Test("postgresql.string: split_using ignores the separator in quoted areas")
    func splitUsing() {
      #expect(SQL.splitUsing("a.'b.c'.d", quote: "'") == ["a", "'b.c'", "d"])
      #expect(SQL.splitUsing("a.b.c", quote: "'", maxSplits: 1) == ["a", "b.c"])
    }

    @Test("postgresql.string: unsplit puts any split together again", arguments: texts)
    func unsplit(text: String) {
      #expect(SQL.unsplit(SQL.split(text)) == text)
    }
  }
}
