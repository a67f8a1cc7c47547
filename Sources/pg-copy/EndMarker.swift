/// Watches data for a line `\.`, at which servers stop reading COPY's text format, and before 18 its
/// CSV format too: what comes behind it would be dropped without a word.
///
/// At the very end of the data it does no harm: that is how scripts of dumps end theirs.
///
/// Source: PostgreSQL manual, COPY, "Text Format" and "CSV Format".
struct EndMarker {
  /// How much of the line read so far is the marker.
  private enum Progress { case nothing, backslash, dot, carriageReturn, elsewhere, complete }

  private var progress = Progress.nothing
  /// The line that is being read, from 1.
  private(set) var line = 1

  /// Reads the next bytes.
  ///
  /// - Returns: Whether there is something behind a marker; ``line`` is then the marker's.
  mutating func hasDataBehind(_ bytes: [UInt8]) -> Bool {
    for byte in bytes {
      if progress == .complete { return true }
      progress = next(after: byte)
      if progress == .nothing { line &+= 1 }
    }
    return false
  }

  private func next(after byte: UInt8) -> Progress {
    switch (progress, byte) {
    case (.dot, UInt8(ascii: "\n")), (.carriageReturn, UInt8(ascii: "\n")): .complete
    case (_, UInt8(ascii: "\n")): .nothing
    case (.nothing, UInt8(ascii: "\\")): .backslash
    case (.backslash, UInt8(ascii: ".")): .dot
    case (.dot, UInt8(ascii: "\r")): .carriageReturn
    default: .elsewhere
    }
  }
}
