/// A statement as the server holds it, without the connection.
///
/// What was prepared for a Swift value is closed on the server soon after the last reference to this
/// goes away; one that was found by its name stays.
final class PreparedStatement {
  /// The name on the server.
  private(set) var name: String
  private(set) var description: StatementDescription
  var isClosed = false
  private let isOurs: Bool
  private let discarded: DiscardQueue

  init(_ name: String, _ description: StatementDescription, isOurs: Bool, _ queue: DiscardQueue) {
    self.name = name
    self.description = description
    self.isOurs = isOurs
    discarded = queue
  }

  deinit { discard() }

  /// Goes on as another one, prepared anew.
  func become(_ name: String, _ description: StatementDescription) {
    discard()
    self.name = name
    self.description = description
  }

  private func discard() {
    if isOurs, !isClosed { discarded.append(.statement(name)) }
  }
}
