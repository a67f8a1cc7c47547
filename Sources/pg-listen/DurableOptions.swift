internal import ArgumentParser
internal import PGCommandLine

/// The rows of a table as events.
struct DurableOptions: ParsableArguments {
  @Option(
    name: .customLong("durable"),
    help: ArgumentHelp(
      """
      Print the rows of this table, each at least once, and acknowledge those that are written, or \
      whose command ended with 0. Channels are those of the rows, all without any; rows of others are \
      acknowledged with them: whoever wants those needs a consumer of its own. A gap line says \
      "complete":true, because no row is missed. "pg-listen durable install" prints what makes the table.
      """, valueName: "table"))
  var table: DurableTable?

  @Option(
    help: ArgumentHelp("For whom rows of --durable are acknowledged.", valueName: "name"))
  var consumer: String?

  /// What is read and for whom, for a line that says it.
  var summary: String? { table.map { "\($0.name) for consumer \(consumer ?? "")" } }

  func validate() throws {
    if table != nil, consumer?.isEmpty ?? true {
      throw ValidationError("--durable needs a consumer: --consumer NAME")
    }
    if table == nil, consumer != nil {
      throw ValidationError("--consumer goes with --durable TABLE")
    }
  }

  func plan(_ channels: [String]) -> DurableReader.Plan? {
    guard let table, let consumer else { return nil }
    return DurableReader.Plan(table: table, consumer: consumer, channels: channels)
  }
}
