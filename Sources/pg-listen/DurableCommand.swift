internal import ArgumentParser
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// `pg-listen durable …`.
struct VerbCommand: ParsableCommand {
  static let configuration = Program.configuration(
    name: ListenCommand.program, abstract: ListenCommand.configuration.abstract,
    subcommands: [DurableCommand.self])
}

/// `pg-listen durable`: what `--durable` needs, and how its consumers are.
struct DurableCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "durable", abstract: "Prepare a table of events, or see how its consumers are.",
    subcommands: [DurableInstallCommand.self, DurableStatusCommand.self])
}

/// `pg-listen durable install TABLE`: prints the SQL that makes the table, and runs nothing.
struct DurableInstallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Print the SQL that makes a table of events, and that of its consumers.")

  @Argument(help: ArgumentHelp("The table, with its schema or without.", valueName: "table"))
  var table: DurableTable

  func run() throws { try StandardOutput.shared.write(table.definition) }
}

/// `pg-listen durable status [IRI] TABLE`: one JSON object a line for each consumer.
struct DurableStatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Print one JSON object a line for each consumer of a table of events.")

  @Option(
    help: ArgumentHelp(
      "End with 4 when this time is over: 500ms, 10s, 2m, 1h.", valueName: "duration"))
  var timeout: DurationArgument?

  @Argument(help: ArgumentHelp("Where to connect, and the table.", valueName: "iri table"))
  var operands: [String]

  private func parts() throws -> (iri: String?, table: DurableTable) {
    guard let name = operands.last, operands.count <= 2 else {
      throw ValidationError("durable status takes an IRI, which may be left out, and a table")
    }
    guard let table = DurableTable(argument: name) else {
      throw ValidationError("\"\(name)\" is no name of a table")
    }
    return (operands.count == 2 ? operands[0] : nil, table)
  }

  func validate() throws { _ = try parts() }

  func run() throws {
    let (iri, table) = try parts()
    let connecting = Connecting(program: ListenCommand.program)
    let deadline = timeout.map { Deadline.after($0.duration) } ?? .never
    let connection = try connecting.connect(try connecting.options(iri: iri), until: deadline)
    defer { connection.close() }
    do throws(PGError) {
      for line in try Self.report(table, on: connection, until: deadline) {
        try? StandardOutput.shared.write(line + "\n")
      }
    } catch {
      throw error.failure(of: ListenCommand.program)
    }
  }

  /// A column of times as all lines of the program have them.
  private static func utc(_ column: String) -> String {
    """
    pg_catalog.to_char(\(column) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS \(column)
    """
  }

  /// How far each consumer is, as the server's own JSON.
  ///
  /// A row is held back while a transaction older than its own is running. The session that reads for
  /// a consumer has an advisory lock on a number made of both names.
  private static func report(
    _ table: DurableTable, on connection: Connection, until deadline: Deadline
  ) throws(PGError) -> [String] {
    let channel = DurableTable.wakeChannel(try table.oid(on: connection, until: deadline))
    let rows = try connection.query.text(
      """
      WITH running AS (
        SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) AS horizon
      ), readers AS (
        SELECT (classid::pg_catalog.int8 << 32) | objid::pg_catalog.int8 AS key, pid
        FROM pg_catalog.pg_locks
        WHERE locktype = 'advisory' AND objsubid = 1 AND granted
          AND database = (SELECT oid FROM pg_catalog.pg_database
            WHERE datname = pg_catalog.current_database())
      )
      SELECT pg_catalog.row_to_json(line)::text FROM (
        SELECT consumer, \(utc("acknowledged_at")), id AS acknowledged_id, waiting, held_back,
          \(utc("oldest_waiting")),
          (SELECT pid FROM readers WHERE key = pg_catalog.hashtextextended(
            $1 || ':' || consumer, 0)) AS pid
        FROM \(table.consumers) AS consumers, running, LATERAL (
          SELECT pg_catalog.count(*) FILTER (WHERE events.xid < horizon) AS waiting,
            pg_catalog.count(*) FILTER (WHERE events.xid >= horizon) AS held_back,
            pg_catalog.min(stored_at) AS oldest_waiting
          FROM \(table.name) AS events
          WHERE (events.xid, events.id) > (consumers.xid, consumers.id)
        ) AS lag
        ORDER BY consumer
      ) AS line
      """, [channel], until: deadline
    ).collect()
    var lines: [String] = []
    for row in rows { lines.append(try row[0, as: String.self]) }
    return lines
  }
}
