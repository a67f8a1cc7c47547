import InMemoryTracing
import PGKit
import PGKitServices
import Testing
import Tracing

/// Spans, as a tracer gets them from a real server.
@Suite("Statement tracer") struct StatementTracerTests {
  private let tracer = InMemoryTracer()

  private func connect(
    includingText: StatementTracer.IncludedText = .parameterized, includingErrors: Bool = false
  ) throws -> Connection {
    var connector = try ServiceCluster.connector()
    connector.trace(
      with: tracer, includingText: includingText, includingErrors: includingErrors)
    return try connector.connect()
  }

  private func attribute(_ name: String, _ span: FinishedInMemorySpan) -> SpanAttribute? {
    span.attributes.get(name)
  }

  @Test("one span for each statement, with OpenTelemetry's attributes, and none of a value")
  func statements() throws {
    let db = try connect()
    let connecting = try #require(tracer.popFinishedSpans().first)
    #expect(connecting.operationName == "CONNECT postgres" && connecting.kind == .client)
    #expect(attribute("db.query.text", connecting) == nil)
    #expect(attribute("db.query.summary", connecting) == nil)
    try db.execute("CREATE TEMP TABLE t (a int, b text)")
    let insert = try db.prepare("INSERT INTO t VALUES ($1, $2)")
    try insert(1, "secret")
    try insert.loadRows([[2, "secret"], [3, "secret"]])
    let sql = "/* why */ select a FROM t WHERE b = $1"
    #expect(try db.query(sql, "secret").count == 3)
    _ = try db.copyIn("COPY t FROM STDIN").finish()
    let spans = tracer.popFinishedSpans()
    #expect(
      spans.map(\.operationName) == [
        "CREATE", "PREPARE INSERT", "INSERT", "INSERT", "SELECT", "COPY",
      ])
    let names = ([connecting] + spans).map { attribute("db.operation.name", $0) }
    #expect(names == ["CONNECT", nil, "PREPARE", nil, nil, nil, "COPY"])
    #expect(attribute("db.operation.batch.size", spans[3]) == .int64(2))
    #expect(attribute("db.operation.batch.size", spans[2]) == nil)
    let (host, port) = try place()
    for span in spans + [connecting] {
      #expect(attribute("db.system.name", span) == "postgresql")
      #expect(attribute("db.namespace", span) == "postgres")
      #expect(attribute("server.address", span) == .string(host))
      #expect(attribute("server.port", span) == .int64(Int64(port)))
      #expect(attribute("network.transport", span) == "tcp")
      #expect(span.status == nil && span.errors.isEmpty)
      #expect(!"\(span.attributes)".contains("secret"))
    }
    for span in spans {
      #expect(attribute("db.query.summary", span) == .string(span.operationName))
    }
    #expect(attribute("db.query.text", spans[4]) == .string(sql))
    for span in [spans[0], spans[5]] {
      #expect(attribute("db.query.text", span) == nil, "without parameters, it may be secret")
    }
    #expect(attribute("db.response.returned_rows", spans[4]) == .int64(3))
    #expect(tracer.activeSpans.isEmpty)
  }

  private func place() throws -> (String, Int) {
    let options = try ServiceCluster.shared.connectionOptions()
    return (
      try #require(options.hostAddresses?.first ?? options.hosts?.first),
      try #require(options.ports?.first)
    )
  }

  @Test("an error is recorded with its code, and with its words where that is asked for")
  func errors() throws {
    for isAsked in [false, true] {
      let db = try connect(includingErrors: isAsked)
      tracer.clearFinishedSpans()
      #expect(throws: PGError.self) { try db.query("SELECT $1::text::int", "secret") }
      let span = try #require(tracer.popFinishedSpans().first)
      #expect(attribute("db.response.status_code", span) == "22P02")
      #expect(attribute("error.type", span) == "22P02")
      #expect(attribute("db.query.text", span) == "SELECT $1::text::int")
      #expect(span.status?.code == .error)
      let failure = try #require(span.errors.first?.error as? StatementFailure)
      #expect(span.errors.count == 1 && failure.code == "22P02")
      #expect(failure.description.contains("secret") == isAsked)
      // An error that no server has told.
      #expect(throws: PGError.self) { try db.query("SELECT $1::int", true) }
      let own = try #require(tracer.popFinishedSpans().last)
      #expect(attribute("error.type", own) == "--PIO")
      #expect(attribute("db.response.status_code", own) == nil)
    }
    #expect(tracer.activeSpans.isEmpty)
  }

  @Test(
    "a statement without parameters shows its text where that is asked for",
    arguments: [true, false])
  func texts(isAsked: Bool) throws {
    let db = try connect(includingText: isAsked ? .all : .parameterized)
    tracer.clearFinishedSpans()
    try db.query("SELECT 'secret'")
    let span = try #require(tracer.popFinishedSpans().first)
    #expect(attribute("db.query.text", span) == (isAsked ? "SELECT 'secret'" : nil))
  }

  @Test("the text is left out where that is asked for, and rows under way have an end")
  func ends() throws {
    let db = try connect(includingText: .none)
    tracer.clearFinishedSpans()
    do {
      let rows = try db.query.rows("SELECT generate_series(1, $1::int)", 1_000_000)
      _ = try rows.next()
      #expect(tracer.activeSpans.count == 1)
      db.close()
    }
    let spans = tracer.popFinishedSpans()
    #expect(spans.count == 1 && tracer.activeSpans.isEmpty)
    #expect(spans.allSatisfy { attribute("db.query.text", $0) == nil })
  }

  @Test("a span is the child of the task's, on an asynchronous connection as well")
  func parents() async throws {
    var connector = try ServiceCluster.connector()
    connector.trace()
    let pool = ConnectionPool(connector)
    try await withTracer(tracer) {
      try await withSpan("request") { _ in
        try await pool.withConnection { db in
          _ = try await db.first("SELECT $1::int", 1, as: Int.self)
        }
      }
    }
    await pool.close()
    let spans = tracer.popFinishedSpans()
    let request = try #require(spans.first { $0.operationName == "request" })
    let select = try #require(spans.first { $0.operationName == "SELECT" })
    #expect(select.parentSpanID == request.spanID && select.traceID == request.traceID)
    let connecting = try #require(spans.first { $0.operationName == "CONNECT postgres" })
    #expect(connecting.parentSpanID == request.spanID)
  }
}
