extension EventStream {
  /// How the run ends.
  enum Outcome: Sendable {
    case done
    case failed(any Error)
  }

  /// What is wanted of the events.
  struct Wishes: Sendable {
    /// How many.
    var count: Int?
    /// What the one that ends the run is like.
    var conditions: [UntilCondition]
    var format: EventFormat
    var control: ControlEvents
    /// Whether lines name their source.
    var namesSources: Bool
    /// Whether payloads that are JSON are printed as such, too.
    var parses = false
  }
}
