/// What the binary format of COPY has around its rows.
///
/// Source: PostgreSQL manual, COPY, "Binary Format".
public enum BinaryCopyFile {
  /// What data in the format begins with.
  public static let signature = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0]
  /// Everything that servers write before the first row: the signature, no flags, and the length of an
  /// extension, which they leave empty.
  public static let header = signature + [0, 0, 0, 0, 0, 0, 0, 0]
  /// What stands behind the last row, in the place of a number of columns.
  public static let trailer: [UInt8] = [0xFF, 0xFF]

  /// Finds the rows in the messages of a server.
  public struct Rows: Sendable {
    private var isAtStart = true

    /// Begins before the first message.
    public init() {}

    /// The row in the next message; `nil` in the one that is the trailer.
    ///
    /// What stands before the first row comes in one message with it.
    public mutating func row(in message: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
      let row =
        isAtStart
        ? UnsafeRawBufferPointer(rebasing: message.dropFirst(BinaryCopyFile.header.count)) : message
      isAtStart = false
      return row.elementsEqual(BinaryCopyFile.trailer) ? nil : row
    }
  }
}
