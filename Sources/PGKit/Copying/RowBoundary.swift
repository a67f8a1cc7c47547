// Where rows end, in each of COPY's formats. In text a newline always ends a row, unless a backslash
// stands before it; in CSV it does outside of quotes; in binary the lengths say it. A byte is looked at
// once, wherever the data is cut into pieces.

/// Follows data of a COPY and knows where its last whole row ended.
///
/// Source: PostgreSQL manual, "COPY", File Formats.
public struct RowBoundary {
  /// The longest row that is kept for those who begin anew with it: the longest that a server takes.
  static let rowLimit = 1 << 30

  private var scanner: RowScanner
  /// What came since the last whole row ended.
  public private(set) var partialRow: [UInt8] = []
  /// What stands before the first row: the binary format's signature, flags and extension.
  public private(set) var header: [UInt8] = []
  /// How many whole rows came.
  public private(set) var rowCount = 0

  /// Makes one that has seen nothing.
  ///
  /// - Parameters:
  ///   - format: The data's format.
  ///   - quote: CSV's quote.
  ///   - escape: What stands before a quote within quotes.
  public init(
    _ format: CopyFormat, quote: UInt8 = UInt8(ascii: "\""), escape: UInt8 = UInt8(ascii: "\"")
  ) {
    scanner =
      switch format {
      case .text: .text(TextRowScanner())
      case .csv: .csv(CSVRowScanner(quote: quote, escape: escape))
      case .binary: .binary(BinaryRowScanner())
      }
  }

  /// Follows the next bytes.
  ///
  /// - Returns: How many of them belong to rows that are whole now; the rest is in ``partialRow``.
  @discardableResult
  public mutating func take(_ bytes: [UInt8]) -> Int {
    var start = 0
    for (index, byte) in bytes.enumerated() {
      switch scanner.step(byte) {
      case .within: continue
      case .headerEnd:
        header = partialRow + bytes[start...index]
        partialRow = []
      case .rowEnd:
        rowCount += 1
        partialRow = []
      }
      start = index + 1
    }
    if start < bytes.count, partialRow.count < Self.rowLimit { partialRow += bytes[start...] }
    return start
  }

  /// Follows a piece; a server's rows are always whole.
  mutating func take(_ piece: CopyPiece) {
    if case .bytes(let bytes) = piece { take(bytes) }
  }
}

/// What a byte was.
private enum RowEvent { case within, rowEnd, headerEnd }

private enum RowScanner {
  case text(TextRowScanner)
  case csv(CSVRowScanner)
  case binary(BinaryRowScanner)

  mutating func step(_ byte: UInt8) -> RowEvent {
    switch self {
    case .text(var scanner):
      defer { self = .text(scanner) }
      return scanner.step(byte)
    case .csv(var scanner):
      defer { self = .csv(scanner) }
      return scanner.step(byte)
    case .binary(var scanner):
      defer { self = .binary(scanner) }
      return scanner.step(byte)
    }
  }
}

private struct TextRowScanner {
  private var isEscaped = false

  mutating func step(_ byte: UInt8) -> RowEvent {
    if isEscaped {
      isEscaped = false
      return .within
    }
    isEscaped = byte == UInt8(ascii: "\\")
    return byte == UInt8(ascii: "\n") ? .rowEnd : .within
  }
}

private struct CSVRowScanner {
  let quote: UInt8
  let escape: UInt8
  private var isQuoted = false
  private var isEscaped = false

  init(quote: UInt8, escape: UInt8) { (self.quote, self.escape) = (quote, escape) }

  mutating func step(_ byte: UInt8) -> RowEvent {
    if isQuoted, isEscaped {
      isEscaped = false
    } else if isQuoted, byte == escape, escape != quote {
      isEscaped = true
    } else if byte == quote {
      // A doubled quote closes and opens again, which comes to the same.
      isQuoted.toggle()
    }
    return byte == UInt8(ascii: "\n") && !isQuoted ? .rowEnd : .within
  }
}

private struct BinaryRowScanner {
  private enum Part { case signature, extensionLength, extensionBody, columns, length, value, end }

  /// The signature and the flags.
  private static let signatureSize = BinaryCopyFile.signature.count + 4
  private var part = Part.signature
  /// How many bytes of the part are to come.
  private var missing = BinaryRowScanner.signatureSize
  private var number: UInt32 = 0
  private var columns = 0

  mutating func step(_ byte: UInt8) -> RowEvent {
    if part == .end { return .within }
    if part != .signature, part != .extensionBody, part != .value {
      number = number << 8 | UInt32(truncatingIfNeeded: byte)
    }
    missing -= 1
    return missing == 0 ? next() : .within
  }

  /// Goes on to the next part that has bytes.
  private mutating func next() -> RowEvent {
    let value = Int(Int32(bitPattern: number))
    number = 0
    switch part {
    case .signature: expect(.extensionLength, 4)
    case .extensionLength:
      if value > 0 {
        expect(.extensionBody, value)
      } else {
        expect(.columns, 2)
        return .headerEnd
      }
    case .extensionBody:
      expect(.columns, 2)
      return .headerEnd
    case .columns: return begin(columns: Int(Int16(truncatingIfNeeded: value)))
    case .length where value > 0: expect(.value, value)
    case .length, .value: return endColumn()
    case .end: break
    }
    return .within
  }

  private mutating func begin(columns count: Int) -> RowEvent {
    guard count >= 0 else {
      part = .end
      return .within
    }
    columns = count
    expect(count == 0 ? .columns : .length, count == 0 ? 2 : 4)
    return count == 0 ? .rowEnd : .within
  }

  private mutating func endColumn() -> RowEvent {
    columns -= 1
    expect(columns == 0 ? .columns : .length, columns == 0 ? 2 : 4)
    return columns == 0 ? .rowEnd : .within
  }

  private mutating func expect(_ next: Part, _ count: Int) { (part, missing) = (next, count) }
}
