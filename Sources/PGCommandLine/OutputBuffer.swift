/// Bytes on their way to an output: gathered piece by piece, handed over in one.
public struct OutputBuffer: Sendable {
  /// What has been gathered.
  public var bytes: [UInt8] = []

  /// Makes an empty buffer.
  @inlinable public init() {}

  /// Appends one byte.
  @inlinable
  public mutating func append(_ byte: UInt8) { bytes.append(byte) }

  /// Appends borrowed bytes.
  @inlinable
  public mutating func append(_ source: UnsafeRawBufferPointer) { bytes.append(contentsOf: source) }

  /// Appends an array.
  @inlinable
  public mutating func append(_ source: [UInt8]) { bytes.append(contentsOf: source) }

  /// Appends text in UTF-8.
  @inlinable
  public mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  /// Hands everything to `output`, and is empty afterwards.
  ///
  /// - Throws: ``StandardOutput/Failure`` if the system does not accept it.
  public mutating func drain(
    to output: StandardOutput = .shared
  ) throws(StandardOutput.Failure) {
    let failure = bytes.withUnsafeBytes { bytes -> StandardOutput.Failure? in
      do throws(StandardOutput.Failure) {
        try output.write(bytes)
        return nil
      } catch { return error }
    }
    bytes.removeAll(keepingCapacity: true)
    if let failure { throw failure }
  }
}
