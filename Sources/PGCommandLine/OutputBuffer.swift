/// Bytes on their way to an output: gathered piece by piece, handed over in one.
public struct OutputBuffer: Sendable {
  @usableFromInline var gathered: [UInt8] = []
  /// Memory that has grown beyond this for a long value is given back.
  private static let keptCapacity = 1 << 20

  /// Makes an empty buffer.
  @inlinable
  public init() {}

  /// What has been gathered.
  @inlinable
  public var bytes: [UInt8] { gathered }

  /// How many bytes have been gathered.
  @inlinable
  public var count: Int { gathered.count }

  // Inlinable, because a program calls them several times for each value that it prints.

  /// Appends one byte.
  @inlinable
  public mutating func append(_ byte: UInt8) { gathered.append(byte) }

  /// Appends borrowed bytes.
  @inlinable
  public mutating func append(_ source: UnsafeRawBufferPointer) {
    gathered.append(contentsOf: source)
  }

  /// Appends an array.
  @inlinable
  public mutating func append(_ source: [UInt8]) { gathered.append(contentsOf: source) }

  /// Appends text in UTF-8.
  @inlinable
  public mutating func append(_ text: String) { gathered.append(contentsOf: text.utf8) }

  /// Makes room for so many bytes and lends it to be written into; what is written is appended.
  ///
  /// - Parameter most: The most that `body` writes; it is stopped where it would write more.
  @inlinable
  public mutating func write(atMost most: Int, _ body: (inout RoomWriter) -> Void) {
    gathered.append(addingCapacity: most) { span in
      span.withUnsafeMutableBufferPointer { memory, count in
        let room = UnsafeMutableBufferPointer(rebasing: memory[count...])
        var writer = RoomWriter(UnsafeMutableRawBufferPointer(room))
        body(&writer)
        count += writer.count
      }
    }
  }

  /// Lends what has been gathered, to append to it.
  @inlinable
  public mutating func withBytes<Result, Thrown: Error>(
    _ body: (inout [UInt8]) throws(Thrown) -> Result
  ) throws(Thrown) -> Result {
    try body(&gathered)
  }

  /// Hands everything to `output`, and is empty afterwards.
  ///
  /// - Throws: ``StandardOutput/Failure`` if the system does not accept it.
  public mutating func drain(
    to output: StandardOutput = .shared
  ) throws(StandardOutput.Failure) {
    let failure = gathered.withUnsafeBytes { bytes -> StandardOutput.Failure? in
      do throws(StandardOutput.Failure) {
        try output.write(bytes)
        return nil
      } catch { return error }
    }
    if gathered.capacity > Self.keptCapacity {
      gathered = []
    } else {
      gathered.removeAll(keepingCapacity: true)
    }
    if let failure { throw failure }
  }
}
