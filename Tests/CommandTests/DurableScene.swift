import Foundation
import Glibc
import PGKit
import PGTestCluster
import Testing

/// A server with a durable table, whose transactions are those of one test: any other that writes would
/// hold rows back.
final class DurableScene {
  /// What pg-listen says of a row.
  struct Row: Decodable, Hashable {
    let id: Int
    let seq: Int
    let channel: String
    let payload: String
    let stored_at: String
  }

  /// How far a consumer is.
  struct Status: Decodable {
    let consumer: String
    let acknowledged_at: String?
    let acknowledged_id: Int
    let waiting: Int
    let held_back: Int
    let oldest_waiting: String?
    let pid: Int32?
  }

  let program = BuiltProgram("pg-listen")
  let table: String
  let iri: String
  let db: Connection
  private let cluster: TemporaryCluster

  /// - Parameter table: The table's name as SQL has it.
  init(
    table: String = "outbox", installation: Installation? = nil,
    settings: [ConnectionOptions.Setting] = [], encoding: String? = nil
  ) throws {
    self.table = table
    var options = TemporaryCluster.Options()
    options.settings += settings
    if let encoding { (options.encoding, options.locale) = (encoding, "C") }
    cluster = try TemporaryCluster(
      installation: installation ?? TestServer.installations.first, options)
    iri = try cluster.iri(scheme: "postgres")
    db = try PGKit.open(iri)
    let printed = try program.run(["durable", "install", table])
    guard printed.end == .exit(0) else { throw BuiltProgram.Fault(description: printed.errors) }
    try db.execute(printed.output)
  }

  /// Another session.
  func connect() throws -> Connection { try PGKit.open(iri) }

  /// The arguments that read for a consumer.
  func arguments(_ consumer: String, _ options: [String]) -> [String] {
    [iri, "--durable", table, "--consumer", consumer] + options
  }

  func start(
    _ consumer: String, _ options: String..., output: BuiltProgram.Output = .captured
  ) throws -> RunningProgram {
    let running = try program.start(arguments(consumer, options), output: output)
    try running.waitForErrors("listening on ")
    return running
  }

  func run(
    _ consumer: String, _ options: String..., output: BuiltProgram.Output = .captured
  ) throws -> BuiltProgram.Outcome {
    try program.run(arguments(consumer, options), output: output)
  }

  /// Adds rows with these payloads, in one transaction.
  func add(_ payloads: [String], channel: String = "jobs") throws {
    try db.query(
      "INSERT INTO \(table) (channel, payload) SELECT $1, p FROM unnest($2::text[]) AS p", channel,
      payloads)
  }

  func statuses() throws -> [Status] {
    let outcome = try program.run(["durable", "status", iri, table])
    guard outcome.end == .exit(0) else { throw BuiltProgram.Fault(description: outcome.errors) }
    return try outcome.lines.map { try JSONDecoder().decode(Status.self, from: Data($0.utf8)) }
  }

  func status(_ consumer: String) throws -> Status {
    try #require(try statuses().first { $0.consumer == consumer })
  }

  /// Waits until no row waits for a consumer.
  func waitUntilAcknowledged(_ consumer: String) throws {
    for _ in 0..<400 {
      if try status(consumer).waiting == 0 { return }
      usleep(25_000)
    }
    throw BuiltProgram.Fault(description: "rows still wait for \(consumer)")
  }

  /// The rows among what was printed.
  static func rows(_ output: String) throws -> [Row] {
    try output.split(separator: "\n").filter { $0.hasPrefix("{\"event\":\"notify\"") }.map {
      try JSONDecoder().decode(Row.self, from: Data($0.utf8))
    }
  }

  /// The session that reads for a consumer is ended.
  func terminateReader(of consumer: String) throws {
    guard let process = try status(consumer).pid else { return }
    try db.query("SELECT pg_terminate_backend($1, 5000)", process)
  }

  func close() {
    db.close()
    try? cluster.close()
  }
}
