/// A statement as the server holds it, without the connection.
///
/// What was prepared for a Swift value is closed on the server soon after the last reference to this
/// goes away; one that was found by its name stays.
final class PreparedStatement {
  /// The name on the server.
  private(set) var name: String
  private(set) var description: StatementDescription
  /// What runs it.
  private(set) var run: PreparedRun
  var isClosed = false
  /// Whether it is a COPY whose data comes from or goes to us.
  let isCopy: Bool
  private let isOurs: Bool
  private let discarded: DiscardQueue
  /// Which of the connection's lives it belongs to.
  private(set) var generation: Int

  init(
    _ name: String, _ description: StatementDescription, isCopy: Bool, isOurs: Bool,
    _ connection: Connection
  ) {
    self.isCopy = isCopy
    self.name = name
    self.description = description
    run = PreparedRun(of: name, description)
    self.isOurs = isOurs
    discarded = connection.discarded
    generation = connection.generation
  }

  deinit { discard() }

  /// Has the types looked up anew that were forgotten.
  func learnTypes(on connection: Connection) throws(PGError) {
    description = try description.renewed(on: connection)
    run = PreparedRun(of: name, description)
  }

  /// Goes on as another one, prepared anew.
  func become(_ other: PreparedStatement) {
    discard()
    (name, description, generation) = (other.name, other.description, other.generation)
    run = other.run
    // It is this one's now.
    other.isClosed = true
  }

  private func discard() {
    if isOurs, !isClosed { discarded.append(.statement(name)) }
  }
}

extension PreparedRun {
  fileprivate convenience init(of name: String, _ description: StatementDescription) {
    self.init(
      of: name, columnCount: description.columns.columns.count,
      resultFormats: description.resultFormats)
  }
}
