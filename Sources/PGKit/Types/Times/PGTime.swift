/// A `time`: microseconds since midnight, up to and with 24:00.
public struct PGTime: Hashable, Comparable, Sendable {
  /// Microseconds since midnight.
  public let microseconds: Int64

  static let microsecondsPerDay: Int64 = 86_400_000_000

  /// The times of a day, its end included.
  static let day = 0...microsecondsPerDay

  /// Makes a value of its stored form.
  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// Makes a time of the clock; `nil` if the clock never shows it.
  ///
  /// 24:00 is the end of a day.
  public init?(hour: Int, minute: Int, second: Int = 0, microsecond: Int = 0) {
    guard 0...24 ~= hour, 0..<60 ~= minute, 0..<60 ~= second, 0..<1_000_000 ~= microsecond else {
      return nil
    }
    microseconds = Int64(hour * 3600 + minute * 60 + second) * 1_000_000 + Int64(microsecond)
    guard microseconds <= Self.microsecondsPerDay else { return nil }
  }

  /// The hour, minute, second and microsecond.
  public var components: (hour: Int, minute: Int, second: Int, microsecond: Int) {
    let seconds = Int(microseconds / 1_000_000)
    return (seconds / 3600, seconds / 60 % 60, seconds % 60, Int(microseconds % 1_000_000))
  }

  /// Whether the left one is earlier.
  public static func < (left: PGTime, right: PGTime) -> Bool {
    left.microseconds < right.microseconds
  }

  /// Insists that a time is one of a day.
  static func check(_ microseconds: Int64, of type: PGType) throws(PGError) {
    guard day ~= microseconds else {
      throw .malformed(type, "a time outside the day")
    }
  }
}

extension PGTime: PGEncodable {
  /// Whether a parameter of `type` is a time.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    type.parameterFormat(binaryFor: .time)
  }

  /// Writes the microseconds.
  ///
  /// - Throws: ``PGError`` `--PIO` for a time outside of the day.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try require(Self.day ~= microseconds, of: type)
    writer.writeInteger(microseconds)
  }

  /// Writes `12:30:00.5`.
  ///
  /// - Throws: ``PGError`` `--PIO` for a time outside of the day.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try require(Self.day ~= microseconds, of: type)
    formatText(into: &writer)
  }
}

extension PGTime: PGDecodable, PGArrayElement {
  /// Accepts time.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.base == .time }

  /// Reads the microseconds.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    microseconds = try reader.readWhole(of: type)
    try Self.check(microseconds, of: type)
  }
}

extension PGTime: PGTextConvertible {
  /// Writes `12:30:00.5`.
  public func formatText(into writer: inout ByteWriter) {
    if microseconds < 0 { writer.writeByte(ASCII.minus) }
    writer.writeTime(microseconds.magnitude)
  }

  /// Reads `12:30`, `12:30:00`, `12:30:00.5`.
  public static func parseText(_ reader: inout ByteReader) -> PGTime? {
    reader.takeTimeOfDay().map { PGTime(microseconds: $0) }
  }
}
