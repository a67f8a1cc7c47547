/// The chain of things that an error happened to, innermost first: a parameter of a statement of a
/// connection of a connector.
///
/// In py-postgresql: the creator chain that its reports print.
public struct ErrorOrigin: Sendable, Hashable {
  /// One link: what it is and how it describes itself, without secrets.
  public struct Creator: Sendable, Hashable {
    /// What it is, in capitals: `STATEMENT`, `CONNECTOR`.
    public let label: String
    /// How it describes itself: an address, a statement's text.
    public let summary: String

    /// Makes a link.
    public init(_ label: String, _ summary: String) {
      self.label = label
      self.summary = summary
    }

    /// A statement, by its text.
    static func statement(_ text: String) -> Creator { Creator(statementLabel, text) }
    static let statementLabel = "STATEMENT"
    static let connectionLabel = "CONNECTION"
  }

  /// The links, innermost first.
  public let creators: [Creator]

  /// Makes a chain.
  public init(_ creators: [Creator] = []) { self.creators = creators }

  /// The chain with one more link inside the connection, if there is one, or else around it.
  func insideConnection(_ creator: Creator) -> ErrorOrigin {
    let place = creators.firstIndex { $0.label == Creator.connectionLabel } ?? creators.endIndex
    return ErrorOrigin(creators[..<place] + [creator] + creators[place...])
  }

  /// The chain with one more link around it.
  public func inside(_ creator: Creator) -> ErrorOrigin { ErrorOrigin(creators + [creator]) }
}
