import Foundation
import Testing

@testable import PGKit

/// The small pure functions of py-postgresql whose inputs and outputs were recorded; libraries have
/// their own suite.
@Suite("Small functions") struct SmallFunctionVectorTests {
  /// Not part of PGKit: the placeholders of DB-API; and arguments of types that Swift does not let
  /// through where a `Cursor.Direction` is asked for.
  private static func isOutOfScope(_ vector: RecordedCase) -> Bool {
    vector.op == "dbapi_placeholders" || (vector.op == "direction" && !(vector.input is String))
  }

  @Test("give what py-postgresql gives, or what it should give")
  func vectors() throws {
    var counts: [String: Int] = [:]
    for vector in try RecordedCase.all("misc") where vector.op != "ilf_parse" {
      if Self.isOutOfScope(vector) { continue }
      counts[vector.op, default: 0] += 1
      switch vector.op {
      case "parse_configure_options": try configureOptions(vector)
      case "installation_from_version": try version(vector)
      case "installation_ssl": try tls(vector)
      case "start_transaction_sql": try start(vector)
      case "savepoint_sql": try savepoint(vector) { $0.start }
      case "release_sql": try savepoint(vector) { $0.release }
      case "rollback_to_sql": try savepoint(vector) { $0.rollback }
      case "direction": try direction(vector)
      case "effective_direction": try effectiveDirection(vector)
      default: Issue.record("no test for \(vector.op)")
      }
    }
    #expect(
      counts == [
        "parse_configure_options": 5, "installation_from_version": 2, "installation_ssl": 1,
        "start_transaction_sql": 4, "savepoint_sql": 2, "release_sql": 1, "rollback_to_sql": 1,
        "direction": 4, "effective_direction": 7,
      ])
  }

  private func configureOptions(_ vector: RecordedCase) throws {
    let text = try #require(vector.input as? String)
    let options = PGConfigOutput(parsing: "CONFIGURE = \(text)").configureOptions
    // A value in quotes of the other kind is not torn apart here.
    if vector.isDefect {
      #expect(options == ["foo": "", "bar": "/A dir/file"])
      return
    }
    let pairs = try #require(vector.expected as? [[Any]])
    #expect(options.count == pairs.count)
    for pair in pairs {
      let name = try #require(pair.first as? String)
      #expect(options[name] == pair.last as? String ?? "")
    }
  }

  private func version(_ vector: RecordedCase) throws {
    let text = try #require(vector.input as? String)
    let output = try #require(vector.expected as? [String: Any])
    let wanted = try #require(output["version_info"] as? [Any])
    let parsed = try #require(Installation.parseVersion(text)?.parts)
    let parts: [Any] = [parsed.major, parsed.minor, parsed.patch, parsed.state, parsed.level]
    #expect("\(parts)" == "\(wanted)")
    let config = PGConfigOutput(parsing: "VERSION = \(text)")
    #expect(config.type == output["type"] as? String)
    #expect(config.hasTLS == output["ssl"] as? Bool)
  }

  private func tls(_ vector: RecordedCase) throws {
    let text = try #require(vector.input as? String)
    #expect(PGConfigOutput(parsing: "CONFIGURE = \(text)").hasTLS == vector.expected as? Bool)
    #expect(!PGConfigOutput(parsing: "CONFIGURE = --without-openssl").hasTLS)
  }

  private func start(_ vector: RecordedCase) throws {
    let words = try #require(vector.input as? [Any])
    // What no level or mode is called cannot get into the statement.
    if vector.expected == nil {
      let word = try #require(words.compactMap { $0 as? String }.first)
      #expect(Transaction.Isolation(rawValue: word) == nil)
      #expect(Transaction.Mode(rawValue: word) == nil)
      return
    }
    let configuration = Transaction.Configuration(
      isolation: (words[0] as? String).flatMap { .init(rawValue: $0) },
      mode: (words[1] as? String).flatMap { .init(rawValue: $0) })
    #expect(configuration.start + ";" == vector.expected as? String)
  }

  private func savepoint(
    _ vector: RecordedCase, _ words: (Transaction.Savepoint) -> String
  ) throws {
    let savepoint = try Transaction.Savepoint("xact(\(try #require(vector.input as? String)))")
    // The manual's full form says SAVEPOINT after RELEASE and ROLLBACK TO, too.
    let wanted = try #require(vector.expected as? String)
      .replacing("RELEASE \"", with: "RELEASE SAVEPOINT \"")
      .replacing("ROLLBACK TO \"", with: "ROLLBACK TO SAVEPOINT \"")
    #expect(words(savepoint) + ";" == wanted)
  }

  private func direction(_ vector: RecordedCase) throws {
    let direction = Cursor.Direction(try #require(vector.input as? String))
    #expect(direction.map { $0 == .forward } == vector.expected as? Bool)
  }

  private func effectiveDirection(_ vector: RecordedCase) throws {
    let input = try #require(vector.input as? [String: Any])
    let own: Cursor.Direction = try #require(input["cursor"] as? Bool) ? .forward : .backward
    let way: Cursor.Direction? =
      switch input["argument"] {
      case let word as String: Cursor.Direction(word)
      case let isForward as Bool: isForward ? .forward : .backward
      default: nil
      }
    let wanted = try #require(vector.expected as? Bool)
    #expect((own.towards(way ?? .forward) == .forward) == wanted)
  }
}
