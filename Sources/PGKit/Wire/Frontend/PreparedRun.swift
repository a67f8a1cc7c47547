/// The messages that run a prepared statement: Bind, Execute and Sync.
///
/// All but the parameters is the same each time, and made once; so is what has to be known of the rows that
/// come back.
final class PreparedRun: Sendable {
  /// How many columns the rows have.
  let columnCount: Int
  /// Bind's tag, room for its length, the name of the unnamed portal and the statement's.
  private let head: [UInt8]
  /// The formats of the results, with which Bind ends, and the other two messages.
  private let tail: [UInt8]
  /// How much of that is not Bind's.
  private let othersSize: Int

  /// - Parameters:
  ///   - statement: The statement's name.
  ///   - resultFormats: Format codes of the columns: none (all text), one for all, or one for each.
  init(of statement: String, columnCount: Int, resultFormats: [Int16]) {
    self.columnCount = columnCount
    var head = ByteWriter()
    head.writeByte(FrontendTag.bind.rawValue)
    head.writeInteger(0 as Int32)
    head.writeTerminated("")
    head.writeTerminated(statement)
    self.head = head.bytes
    var tail = ByteWriter()
    Bind.encode(resultFormats: resultFormats, into: &tail)
    let formatsSize = tail.count
    tail.writeBytes(Self.executeAndSync)
    self.tail = tail.bytes
    othersSize = tail.count - formatsSize
  }

  /// Execute of the unnamed portal, and Sync.
  static let executeAndSync: [UInt8] = {
    var writer = ByteWriter()
    Execute(portal: "").encode(into: &writer)
    BodilessMessage.sync.encode(into: &writer)
    return writer.bytes
  }()

  /// Writes the messages; the writer overflows if they are too long.
  func encode(_ parameters: borrowing BoundParameters, into writer: inout ByteWriter) {
    let length = writer.count + 1
    writer.writeBytes(head)
    parameters.encode(into: &writer)
    writer.writeBytes(tail)
    writer.patchLength(writer.count - othersSize - length, at: length)
  }
}
