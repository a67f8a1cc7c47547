internal import ArgumentParser
internal import PGCommandLine

/// The rows of a table as events.
struct DurableOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Print the rows of this table, each at least once, and acknowledge those that are written, or \
      whose command ended with 0. Channels are those of the rows, all without any. "pg-listen durable \
      install" prints what makes the table.
      """, valueName: "table"))
  var durable: DurableTable?

  @Option(
    help: ArgumentHelp("For whom rows of --durable are acknowledged.", valueName: "name"))
  var consumer: String?

  var table: DurableTable? { durable }

  /// What is read and for whom, for a line that says it.
  var summary: String? { table.map { "\($0.name) for consumer \(consumer ?? "")" } }

  func validate() throws {
    if durable != nil, consumer?.isEmpty ?? true {
      throw ValidationError("--durable needs a consumer: --consumer NAME")
    }
    if durable == nil, consumer != nil {
      throw ValidationError("--consumer goes with --durable TABLE")
    }
  }

  func plan(_ channels: [String]) -> DurableReader.Plan? {
    guard let durable, let consumer else { return nil }
    return DurableReader.Plan(table: durable, consumer: consumer, channels: channels)
  }
}
