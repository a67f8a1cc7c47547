#if Services
  public import PGKit
  import Synchronization
  public import Tracing

  /// Makes a span of swift-distributed-tracing of everything that connections do: one for each statement, COPY,
  /// preparation and connecting, with OpenTelemetry's attributes of databases.
  ///
  /// A span is a child of the one that the task is in, and is called after the statement's first word. The
  /// attributes are `db.system.name`, `db.namespace` (the database), `db.operation.name`, `db.query.text`,
  /// `db.operation.batch.size` where one statement runs many times, `server.address`, `server.port`,
  /// `network.transport`, `db.response.returned_rows`, and `db.response.status_code` with `error.type` after
  /// an error, which is its SQLSTATE.
  ///
  /// Values of parameters are never in them. What stands in the text of a statement is there as it stands;
  /// the words of an error, which may repeat values, only if that is asked for.
  ///
  /// ```swift
  /// var connector = Connector(options)
  /// connector.trace()
  /// ```
  ///
  /// Source: OpenTelemetry's semantic conventions, "Database client spans", "PostgreSQL".
  public final class StatementTracer: ConnectionObserver {
    private let tracer: (any Tracer)?
    private let includesText: Bool
    private let includesErrors: Bool
    /// Those that have begun, by the operation's number.
    private let spans = Mutex<[UInt64: any Span]>([:])

    /// Makes one.
    ///
    /// - Parameters:
    ///   - tracer: What makes the spans; by default the one that is in force where a statement begins.
    ///   - includingText: Whether the statements' text is an attribute.
    ///   - includingErrors: Whether errors are recorded with their words.
    public init(
      _ tracer: (any Tracer)? = nil, includingText: Bool = true, includingErrors: Bool = false
    ) {
      self.tracer = tracer
      includesText = includingText
      includesErrors = includingErrors
    }

    /// It does not.
    public var wantsParameters: Bool { false }

    /// Begins a span.
    public func began(_ operation: ObservedOperation) {
      let name = operation.name
      let span: any Span = (tracer ?? InstrumentationSystem.tracer).startSpan(name, ofKind: .client)
      span.updateAttributes { attributes in
        attributes["db.system.name"] = "postgresql"
        attributes["db.operation.name"] = name
        if let database = operation.database { attributes["db.namespace"] = database }
        if includesText, operation.kind != .connect {
          attributes["db.query.text"] = operation.text
        }
        if operation.count != 1 { attributes["db.operation.batch.size"] = operation.count }
        attributes.describe(operation.endpoint)
      }
      spans.withLock { $0[operation.number] = span }
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
          attributes["db.response.status_code"] = code
          attributes["error.type"] = code
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
    /// What is done, in a word.
    fileprivate var name: String {
      switch kind {
      case .connect: "CONNECT"
      case .prepare: "PREPARE"
      case .execute, .copy: SQL.firstWords(of: text, atMost: 1).first ?? "postgresql"
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
    ///   - includingText: Whether the statements' text is an attribute.
    ///   - includingErrors: Whether errors are recorded with their words.
    public mutating func trace(
      with tracer: (any Tracer)? = nil, includingText: Bool = true, includingErrors: Bool = false
    ) {
      addObserver(
        StatementTracer(tracer, includingText: includingText, includingErrors: includingErrors))
    }
  }
#endif
