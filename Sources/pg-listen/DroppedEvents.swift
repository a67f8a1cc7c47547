/// How many events were dropped, of each source.
struct DroppedEvents {
  /// The sources in the order in which they lost some; `nil` where lines do not name their source.
  private(set) var counts: [(source: String?, count: Int)] = []
  /// How many lines or commands they would have been: one may stand for several events.
  private(set) var places = 0

  /// Adds some of a source.
  ///
  /// - Parameter places: How many lines or commands they would have been.
  mutating func add(_ count: Int, of source: String?, places: Int) {
    self.places += places
    guard count > 0 else { return }
    if let index = counts.firstIndex(where: { $0.source == source }) {
      counts[index].count += count
    } else {
      counts.append((source, count))
    }
  }
}
