#if Services
  public import PGKit
  import Synchronization
  public import Tracing

  /// Makes a span of swift-distributed-tracing of everything that connections do: one for each
  /// statement, COPY, preparation and connecting, with OpenTelemetry's attributes of databases.
  ///
  /// A span is a child of the one that the task is in. Its name is its `db.query.summary`: the statement's
  /// first word in capitals (`SELECT`), behind `PREPARE` where it is prepared; that of connecting is
  /// `CONNECT` and the database. The other attributes are
  ///
  /// - `db.system.name` (`postgresql`), `db.namespace`: the database that the connection asked for, without a
  ///   schema;
  /// - `db.operation.name` where it is not for the text to say: `CONNECT`, `PREPARE`, `COPY`;
  /// - `db.query.text`, as ``IncludedText`` says; `db.operation.batch.size` where one statement runs
  ///   several times;
  /// - `server.address`, `server.port`, `network.transport`;
  /// - `db.response.returned_rows`, which is in development there, and for each to choose;
  /// - after an error `error.type`, its SQLSTATE, which may be PGKit's own (`--PIO`), and where it was the
  ///   server that refused, the same as `db.response.status_code`.
  ///
  /// Values of parameters are never in them; the words of an error, which may repeat values, only if that
  /// is asked for.
  ///
  /// ```swift
  /// var connector = Connector(options)
  /// connector.trace()
  /// ```
  ///
  /// Source: OpenTelemetry's semantic conventions, "Database client spans" and "PostgreSQL", stable since
  /// version 1.33.
  public final class StatementTracer: ConnectionObserver {
    private let tracer: (any Tracer)?
    private let includedText: IncludedText
    private let includesErrors: Bool
    /// Those that have begun, by the operation's number.
    private let spans = Mutex<[UInt64: any Span]>([:])

    /// Of which statements the text is an attribute.
    public enum IncludedText: Sendable {
      /// Of none.
      case none
      /// Of those that have parameters, beside which their values travel: what stands in the text of others
      /// may be anybody's.
      case parameterized
      /// Of all, with whatever stands in them.
      case all
    }

    /// Makes one.
    ///
    /// - Parameters:
    ///   - tracer: What makes the spans; by default the one that is in force where a statement begins.
    ///   - includingText: Of which statements the text is an attribute.
    ///   - includingErrors: Whether errors are recorded with their words.
    public init(
      _ tracer: (any Tracer)? = nil, includingText: IncludedText = .parameterized,
      includingErrors: Bool = false
    ) {
      self.tracer = tracer
      includedText = includingText
      includesErrors = includingErrors
    }

    /// It does not.
    public var wantsParameters: Bool { false }

    /// Begins a span.
    public func began(_ operation: ObservedOperation) {
      let summary = operation.summary
      let span: any Span = (tracer ?? InstrumentationSystem.tracer).startSpan(
        summary ?? operation.database.map { "CONNECT \($0)" } ?? "CONNECT", ofKind: .client)
      span.updateAttributes { attributes in
        attributes["db.system.name"] = "postgresql"
        if operation.kind != .execute { attributes["db.operation.name"] = operation.name }
        if let database = operation.database { attributes["db.namespace"] = database }
        if let summary { attributes["db.query.summary"] = summary }
        if includesText(of: operation) { attributes["db.query.text"] = operation.text }
        if operation.count != 1 { attributes["db.operation.batch.size"] = operation.count }
        attributes.describe(operation.endpoint)
      }
      spans.withLock { $0[operation.number] = span }
    }

    private func includesText(of operation: ObservedOperation) -> Bool {
      if operation.kind == .connect { return false }
      return switch includedText {
      case .none: false
      case .parameterized: SQL.highestParameter(in: operation.text) > 0
      case .all: true
      }
    }

    /// Ends the span.
    public func ended(
      _ operation: ObservedOperation, after duration: Duration, _ outcome: ObservedOperation.Outcome
    ) {
      guard let span = spans.withLock({ $0.removeValue(forKey: operation.number) }) else { return }
      // Known only now, where a connection was made.
      if operation.kind == .connect {
        span.updateAttributes { $0.describe(operation.endpoint) }
      }
      switch outcome {
      case .completed(let tag):
        if let tag, tag.name == "SELECT", let count = tag.rowCount {
          span.attributes["db.response.returned_rows"] = count
        }
      case .leftUnread: break
      case .failed(let error):
        let code = error.code.description
        span.updateAttributes { attributes in
          attributes["error.type"] = code
          if error.fields != nil { attributes["db.response.status_code"] = code }
        }
        let failure = StatementFailure(error, inWords: includesErrors)
        span.recordError(failure)
        span.setStatus(SpanStatus(code: .error, message: failure.description))
      }
      span.end()
    }
  }

  /// An error as a span has it.
  public struct StatementFailure: Error, CustomStringConvertible {
    /// Its SQLSTATE.
    public let code: String
    /// The SQLSTATE, with the message where that was asked for.
    public let description: String

    init(_ error: PGError, inWords: Bool) {
      code = error.code.description
      description = inWords ? "\(code): \(error.message)" : code
    }
  }

  extension ObservedOperation {
    /// What is done, in the protocol's words.
    var name: String { kind.rawValue.uppercased() }

    /// The class of statements that it is of; `nil` where there is none.
    fileprivate var summary: String? {
      let verb = { SQL.firstWords(of: text, atMost: 1).first }
      return switch kind {
      case .connect: nil
      case .prepare: verb().map { "\(name) \($0)" } ?? name
      case .execute, .copy: verb() ?? name
      }
    }
  }

  extension SpanAttributes {
    fileprivate mutating func describe(_ endpoint: Endpoint?) {
      switch endpoint {
      case .tcp(_, _, let port):
        self["server.address"] = endpoint?.host
        self["server.port"] = port
        self["network.transport"] = "tcp"
      case .unix(let path):
        self["server.address"] = path
        self["network.transport"] = "unix"
      case nil: break
      }
    }
  }

  extension Connector {
    /// Makes a span of everything that its connections do, as ``StatementTracer`` does.
    ///
    /// - Parameters:
    ///   - tracer: What makes the spans; by default the one that is in force where a statement begins.
    ///   - includingText: Of which statements the text is an attribute.
    ///   - includingErrors: Whether errors are recorded with their words.
    public mutating func trace(
      with tracer: (any Tracer)? = nil,
      includingText: StatementTracer.IncludedText = .parameterized, includingErrors: Bool = false
    ) {
      addObserver(
        StatementTracer(tracer, includingText: includingText, includingErrors: includingErrors))
    }
  }
#endif
