internal import ArgumentParser
internal import PGCommandLine

/// Which events become one.
struct GatheringOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      Hold an event back until its channel has been quiet for so long (ten times as long at most), and \
      print only the last, with "count".
      """, valueName: "duration"))
  var debounce: DurationArgument?

  @Option(
    help: ArgumentHelp(
      "Make one event of those of a channel, or also of the same payload, that wait at the same time.",
      valueName: "part"))
  var coalesce: CoalescedPart?

  var isWanted: Bool { debounce != nil || coalesce != nil }

  func validate() throws {
    if let debounce, debounce.duration <= .zero {
      throw ValidationError("--debounce must be longer than 0")
    }
  }
}
