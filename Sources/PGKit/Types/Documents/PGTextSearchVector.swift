/// A `tsvector`: the lexemes of a document, each with the places where it stands.
///
/// Source: PostgreSQL manual, "tsvector"; `tsvectorsend` and `tsvectorrecv` of the server.
public struct PGTextSearchVector: Hashable, Sendable {
  /// How much a place counts.
  public enum Weight: UInt8, Sendable {
    /// `D`, the least, and that of a lexeme of which nobody has said another.
    case d
    /// `C`.
    case c
    /// `B`.
    case b
    /// `A`, the most.
    case a
  }

  /// A place of a lexeme.
  public struct Position: Hashable, Sendable {
    /// The number of the word, from 1 to 16383.
    public let number: UInt16
    /// Its weight; D is the usual one.
    public let weight: Weight

    /// Makes a place; the number is the lower 14 bits.
    public init(_ number: UInt16, _ weight: Weight = .d) {
      (self.number, self.weight) = (number & 0x3FFF, weight)
    }
  }

  /// A lexeme with its places.
  public struct Lexeme: Hashable, Sendable {
    /// The word.
    public let word: String
    /// Where it stands; none if that is not known.
    public let positions: [Position]

    /// Makes a lexeme.
    public init(_ word: String, _ positions: [Position] = []) {
      (self.word, self.positions) = (word, positions)
    }
  }

  /// The lexemes; the server has them in its own order, each once.
  public let lexemes: [Lexeme]

  /// Makes a vector.
  public init(_ lexemes: [Lexeme]) { self.lexemes = lexemes }
}

extension PGTextSearchVector: PGSQLType {
  /// `tsvector`.
  public static var sqlType: TypeOID { .tsvector }

  /// Writes the number of lexemes, and each with its places.
  ///
  /// - Throws: ``PGError`` `--PIO` for a lexeme that is there twice, has a zero character or more than
  ///   2047 bytes, or has more than 256 places, or has them not in order from 1 on; and for more than a
  ///   mebibyte of lexemes.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try check(as: type)
    writer.writeInteger(Int32(truncatingIfNeeded: lexemes.count))
    for lexeme in lexemes {
      writer.writeTerminated(lexeme.word)
      writer.writeInteger(UInt16(truncatingIfNeeded: lexeme.positions.count))
      for position in lexeme.positions {
        writer.writeInteger(
          UInt16(truncatingIfNeeded: position.weight.rawValue) << 14 | position.number)
      }
    }
  }

  /// Writes `'a':1A,2 'b'`.
  ///
  /// - Throws: ``PGError`` `--PIO`, as in binary.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    if !type.isShown { try check(as: type) }
    formatText(into: &writer)
  }

  /// The most bytes of a lexeme, and of all (`MAXSTRLEN`, `MAXSTRPOS`); the most places of a lexeme
  /// (`MAXNUMPOS`).
  private static let (wordLimit, textLimit, placeLimit) = (2047, 1 << 20 - 1, 256)

  private func check(as type: PGType) throws(PGError) {
    func refusal(_ reason: String) -> PGError { .unwritable(Self.self, as: type, ": " + reason) }
    var words: Set<[UInt8]> = []
    var total = 0
    for lexeme in lexemes {
      let word = Array(lexeme.word.utf8)
      guard word.count <= Self.wordLimit, !word.contains(0) else {
        throw refusal("a lexeme has more than \(Self.wordLimit) bytes, or a zero character")
      }
      guard words.insert(word).inserted else { throw refusal("a lexeme is there twice") }
      let places = lexeme.positions.map(\.number)
      let isInOrder = zip(places, places.dropFirst()).allSatisfy { $0 < $1 }
      guard places.count <= Self.placeLimit, isInOrder, places.first != 0 else {
        throw refusal(
          "a lexeme has more than \(Self.placeLimit) places, or not in order from 1 on")
      }
      total += word.count + places.count * 2
    }
    guard total <= Self.textLimit else { throw refusal("its lexemes are too long in all") }
  }

  /// Reads the number of lexemes, and each with its places.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    do {
      // Each has at least an end and a count.
      let count = try reader.readCount32(ofSize: 3)
      var lexemes: [Lexeme] = []
      for _ in 0..<count { lexemes.append(try Self.readLexeme(&reader)) }
      self.lexemes = lexemes
    } catch { throw .malformed(type, "it ends too early, or is not valid UTF-8") }
    try reader.expectEnd(of: type)
  }

  private static func readLexeme(_ reader: inout ByteReader) throws(OutOfBytes) -> Lexeme {
    var bytes = try reader.readTerminated()
    guard let word = bytes.readText() else { throw OutOfBytes() }
    var positions: [Position] = []
    for _ in 0..<(try reader.readCount16(ofSize: 2)) {
      let packed: UInt16 = try reader.readInteger()
      positions.append(
        Position(packed & 0x3FFF, Weight(rawValue: UInt8(truncatingIfNeeded: packed >> 14)) ?? .d))
    }
    return Lexeme(word, positions)
  }
}

extension PGTextSearchVector: PGTextConvertible {
  /// Writes `'a':1A,2 'b'`.
  public func formatText(into writer: inout ByteWriter) {
    for (index, lexeme) in lexemes.enumerated() {
      if index > 0 { writer.writeByte(ASCII.space) }
      writer.writeLexeme(lexeme.word)
      for (index, position) in lexeme.positions.enumerated() {
        writer.writeByte(index == 0 ? UInt8(ascii: ":") : ASCII.comma)
        writer.writeDecimal(position.number)
        switch position.weight {
        case .a: writer.writeByte(UInt8(ascii: "A"))
        case .b: writer.writeByte(UInt8(ascii: "B"))
        case .c: writer.writeByte(UInt8(ascii: "C"))
        case .d: break
        }
      }
    }
  }

  /// Reads `'a':1A,2 'b'`.
  public static func parseText(_ reader: inout ByteReader) -> PGTextSearchVector? {
    var lexemes: [Lexeme] = []
    while !reader.isAtEnd {
      guard lexemes.isEmpty || reader.take(ASCII.space), let word = reader.takeLexeme() else {
        return nil
      }
      guard let positions = parsePositions(&reader) else { return nil }
      lexemes.append(Lexeme(word, positions))
    }
    return PGTextSearchVector(lexemes)
  }

  private static func parsePositions(_ reader: inout ByteReader) -> [Position]? {
    var positions: [Position] = []
    guard reader.take(UInt8(ascii: ":")) else { return positions }
    repeat {
      guard let number = reader.takeInteger(UInt16.self), number < 1 << 14 else { return nil }
      let weight: Weight =
        reader.take(word: "a") ? .a : reader.take(word: "b") ? .b : reader.take(word: "c") ? .c : .d
      positions.append(Position(number, weight))
    } while reader.take(ASCII.comma)
    return positions
  }
}

extension ByteWriter {
  /// Writes a lexeme between single quotes, which are doubled within it, as backslashes are.
  mutating func writeLexeme(_ word: String) {
    writeByte(ASCII.quote)
    for byte in word.utf8 {
      if byte == ASCII.quote || byte == ASCII.backslash { writeByte(byte) }
      writeByte(byte)
    }
    writeByte(ASCII.quote)
  }
}

extension ByteReader {
  /// Reads a lexeme between single quotes.
  mutating func takeLexeme() -> String? {
    guard take(ASCII.quote) else { return nil }
    var word: [UInt8] = []
    while let byte = try? readByte() {
      switch byte {
      case ASCII.backslash:
        guard let escaped = try? readByte() else { return nil }
        word.append(escaped)
      case ASCII.quote:
        guard take(ASCII.quote) else { return String(validating: word, as: UTF8.self) }
        word.append(ASCII.quote)
      default: word.append(byte)
      }
    }
    return nil
  }
}
