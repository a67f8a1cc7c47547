@testable import PGKit

/// An exchange of any kind under way, for the player of transcripts.
class Conversation {
  func begin(_ session: inout Session) throws(PGError) {}
  func advance(_ session: inout Session) throws(PGError) -> Session.Progress { .needsBytes }
  /// What is known once it is finished.
  var summary: [String] { [] }

  /// The conversation that a `>` line of a transcript begins; `nil` if it begins none.
  static func begun(by words: [Word]) throws -> Conversation? {
    guard let verb = words.first?.text else { return nil }
    let texts = words.dropFirst().map(\.text)
    switch verb {
    case "startup": return Conversing(try Startup(words: texts)) { $0.lines }
    case "prepare":
      let exchange = Prepare(
        name: texts[0], sql: texts[1], parameterTypes: texts[2...].compactMap { UInt32($0) })
      return Conversing(exchange) { $0.lines }
    case "describe": return Conversing(Prepare(describing: .statement(texts[0]))) { $0.lines }
    case "describe-cursor":
      return Conversing(Prepare(describing: .portal(texts[0]))) { $0.lines }
    case "batch":
      let parameters = BoundParameters(words: words.dropFirst(4))
      var executions = Executions(of: texts[0])
      for _ in 0..<(Int(texts[2]) ?? 0) { executions.append(parameters) }
      let exchange = ExecutionBatch(columnCount: Int(texts[1]) ?? 0, executions)
      return Conversing(exchange) { $0.lines }
    case "run":
      let exchange = Execution(
        PreparedRun(of: texts[0], columnCount: Int(texts[1]) ?? 0, resultFormats: []),
        parameters: BoundParameters(words: words.dropFirst(3)))
      return Conversing(exchange) { $0.lines }
    case "one-shot":
      let exchange = Execution(
        sql: texts[0], parameters: BoundParameters(words: words.dropFirst(2)), resultFormats: [])
      return Conversing(exchange) { $0.lines }
    case "script": return Conversing(SimpleQuery(texts[0])) { $0.lines }
    case "copy-in": return Conversing(SimpleQuery(texts[0], copying: .in)) { $0.lines }
    case "copy-out": return Conversing(SimpleQuery(texts[0], copying: .out)) { $0.lines }
    case "close": return Conversing(CloseNamed(NamedObject.list(texts))) { _ in [] }
    default: return nil
    }
  }
}

private final class Conversing<E: Exchange & ~Copyable>: Conversation {
  private var exchange: E
  private let describe: (borrowing E) -> [String]

  init(_ exchange: consuming E, describe: @escaping (borrowing E) -> [String]) {
    self.exchange = exchange
    self.describe = describe
  }

  override func begin(_ session: inout Session) throws(PGError) { try session.begin(&exchange) }

  override func advance(_ session: inout Session) throws(PGError) -> Session.Progress {
    try session.advance(&exchange)
  }

  override var summary: [String] { describe(exchange) }
}

extension Startup {
  /// A start-up of the words of a `>` line: `3.2 user=jwp password=secret nonce=abc minimum=3.0`.
  init(words: [String]) throws {
    var values: [String: String] = [:]
    var parameters: [(name: String, value: String)] = []
    for word in words.dropFirst() {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      values[parts[0]] = parts[1]
      if ["user", "database", "application_name"].contains(parts[0]) {
        parameters.append((parts[0], parts[1]))
      }
    }
    self.init(
      StartupMessage(version: words.first == "3.2" ? .v3_2 : .v3_0, parameters: parameters),
      minimumVersion: values["minimum"] == "3.2" ? .v3_2 : .v3_0,
      authenticator: Authenticator(
        user: values["user"] ?? "", password: values["password"],
        policy: try AuthenticationPolicy(requireAuth: values["require_auth"]), channel: .plain,
        clientNonce: values["nonce"]))
  }

  fileprivate var lines: [String] {
    let key = backendKey.map { "key \($0.processID) of \($0.secret.count) bytes" } ?? "no key"
    return ["version \(version)", key]
  }
}

extension Prepare {
  fileprivate var lines: [String] {
    [
      (["parameters"] + parameters.map(String.init)).joined(separator: " "),
      (["columns"] + (columns ?? []).map(\.line)).joined(separator: " "),
    ]
  }
}

extension Execution {
  fileprivate var lines: [String] {
    let described = columns.map { "columns " + $0.map(\.line).joined(separator: " ") }
    return [described, "tag \(tag?.description ?? "none")"].compactMap(\.self)
  }
}

extension ExecutionBatch {
  fileprivate var lines: [String] { ["completed \(completed) with \(rowCount) rows"] }
}

extension SimpleQuery {
  fileprivate var lines: [String] { ["tag \(tag?.description ?? "none")"] }
}

extension RowDescription.Field {
  fileprivate var line: String { "\(name):\(typeOID)" }
}

extension BoundParameters {
  /// Texts, and NULL.
  fileprivate init(words: some Sequence<Word>) {
    self.init()
    for word in words {
      switch word {
      case .quoted(let bytes): append(format: 0) { $0.writeBytes(bytes) }
      case .bare: appendNull()
      }
    }
  }
}

extension NamedObject {
  fileprivate static func list(_ texts: [String]) -> [NamedObject] {
    stride(from: 0, to: texts.count - 1, by: 2).map {
      texts[$0] == "S" ? .statement(texts[$0 + 1]) : .portal(texts[$0 + 1])
    }
  }
}
