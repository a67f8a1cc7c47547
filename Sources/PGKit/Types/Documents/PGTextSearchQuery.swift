/// A `tsquery`: lexemes to be found, joined by operators.
///
/// Its parts are in the order of the wire: an operator precedes its operands, the right one first. No
/// tree is built of them, so that a query as deep as a server can make it is no danger.
///
/// Source: PostgreSQL manual, "tsquery"; `tsquerysend` and `tsqueryrecv` of the server.
public struct PGTextSearchQuery: Hashable, Sendable {
  /// A part of a query.
  public enum Part: Hashable, Sendable {
    /// A lexeme, found where its weight is one of these (bits: A 8, B 4, C 2, D 1; none means all), and
    /// at the beginning of longer ones too if it is a prefix.
    case lexeme(String, weights: UInt8, isPrefix: Bool)
    /// `!`: the next part must not be found.
    case not
    /// `&`: both must be found.
    case and
    /// `|`: either must be found.
    case or
    /// `<n>`: the right one must follow the left one at this distance.
    case phrase(UInt16)

    /// How many operands it has.
    fileprivate var operands: Int {
      switch self {
      case .lexeme: 0
      case .not: 1
      case .and, .or, .phrase: 2
      }
    }

    /// How tightly it binds.
    fileprivate var priority: Int {
      switch self {
      case .or: 1
      case .and: 2
      case .phrase: 3
      case .not: 4
      case .lexeme: 5
      }
    }
  }

  /// The parts, each operator before its operands, the right one first; none for the empty query.
  public let parts: [Part]

  /// Makes a query; `nil` if the operators do not have as many operands as they need.
  public init?(_ parts: [Part]) {
    guard Self.isComplete(parts) else { return nil }
    self.parts = parts
  }

  private static func isComplete(_ parts: [Part]) -> Bool {
    if parts.isEmpty { return true }
    var wanted = 1
    for part in parts {
      if wanted == 0 { return false }
      wanted += part.operands - 1
    }
    return wanted == 0
  }
}

extension PGTextSearchQuery: PGSQLType {
  /// `tsquery`.
  public static var sqlType: TypeOID { .tsquery }

  /// Binary, but for the empty query, which the server takes as text only.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    let format = type.parameterFormat(binaryFor: Self.sqlType)
    return format == .binary && parts.isEmpty ? .text : format
  }

  /// Writes the number of parts, and the parts.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    writer.writeInteger(Int32(truncatingIfNeeded: parts.count))
    for part in parts {
      guard case .lexeme(let word, let weights, let isPrefix) = part else {
        writer.writeByte(2)
        switch part {
        case .not: writer.writeByte(1)
        case .and: writer.writeByte(2)
        case .or: writer.writeByte(3)
        case .phrase(let distance):
          writer.writeByte(4)
          writer.writeInteger(distance)
        case .lexeme: break
        }
        continue
      }
      guard !word.utf8.contains(0) else {
        throw .unwritable(Self.self, as: type, ": a lexeme has a zero character")
      }
      writer.writeByte(1)
      writer.writeByte(weights & 0xF)
      writer.writeByte(isPrefix ? 1 : 0)
      writer.writeTerminated(word)
    }
  }

  /// Reads the number of parts, and the parts.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    var parts: [Part] = []
    do {
      // The shortest is an operator: its kind and its name.
      for _ in 0..<(try reader.readCount32(ofSize: 2)) { parts.append(try Self.read(&reader)) }
    } catch { throw .malformed(type, "a part that cannot be") }
    try reader.expectEnd(of: type)
    guard let query = Self(parts) else { throw .malformed(type, "operators without operands") }
    self = query
  }

  private static func read(_ reader: inout ByteReader) throws(OutOfBytes) -> Part {
    if try reader.readByte() == 1 {
      let weights = try reader.readByte()
      let isPrefix = try reader.readByte()
      var bytes = try reader.readTerminated()
      guard let word = bytes.readText(), weights <= 0xF, isPrefix <= 1 else { throw OutOfBytes() }
      return .lexeme(word, weights: weights, isPrefix: isPrefix == 1)
    }
    switch try reader.readByte() {
    case 1: return .not
    case 2: return .and
    case 3: return .or
    case 4: return .phrase(try reader.readInteger())
    default: throw OutOfBytes()
    }
  }
}

extension PGTextSearchQuery: PGTextConvertible {
  /// Writes `'a' & !( 'b' | 'c':*AB )`, with parentheses where the server has them.
  public func formatText(into writer: inout ByteWriter) {
    // From behind, operands come before their operators, the left one first.
    var done: [(text: [UInt8], priority: Int)] = []
    for part in parts.reversed() {
      switch part {
      case .lexeme(let word, let weights, let isPrefix):
        done.append((Self.text(of: word, weights, isPrefix), part.priority))
      case .not:
        guard let operand = done.popLast() else { return }
        let inner = operand.priority < part.priority ? Self.enclosed(operand.text) : operand.text
        done.append(([UInt8(ascii: "!")] + inner, part.priority))
      case .and, .or, .phrase:
        guard let right = done.popLast(), let left = done.popLast() else { return }
        // Distances do not add up, so a phrase on the right keeps its parentheses.
        let rightLimit = if case .phrase = part { part.priority + 1 } else { part.priority }
        var text = left.priority < part.priority ? Self.enclosed(left.text) : left.text
        text += Self.sign(of: part)
        text += right.priority < rightLimit ? Self.enclosed(right.text) : right.text
        done.append((text, part.priority))
      }
    }
    if let text = done.last?.text { writer.writeBytes(text) }
  }

  private static func enclosed(_ text: [UInt8]) -> [UInt8] {
    Array("( ".utf8) + text + Array(" )".utf8)
  }

  private static func sign(of part: Part) -> [UInt8] {
    switch part {
    case .and: Array(" & ".utf8)
    case .or: Array(" | ".utf8)
    case .phrase(1): Array(" <-> ".utf8)
    case .phrase(let distance): Array(" <\(distance)> ".utf8)
    case .not, .lexeme: []
    }
  }

  private static func text(of word: String, _ weights: UInt8, _ isPrefix: Bool) -> [UInt8] {
    var writer = ByteWriter()
    writer.writeLexeme(word)
    if weights != 0 || isPrefix { writer.writeByte(UInt8(ascii: ":")) }
    if isPrefix { writer.writeByte(UInt8(ascii: "*")) }
    for (bit, letter) in [(8, "A"), (4, "B"), (2, "C"), (1, "D")] where Int(weights) & bit != 0 {
      writer.writeText(letter)
    }
    return writer.bytes
  }

  /// Reads what ``formatText(into:)`` writes.
  public static func parseText(_ reader: inout ByteReader) -> PGTextSearchQuery? {
    var parser = QueryParser()
    guard let parts = parser.parse(&reader) else { return nil }
    return PGTextSearchQuery(parts)
  }
}

/// Puts operators behind their operands, by how tightly they bind; nothing is nested on the stack.
private struct QueryParser {
  private enum Waiting {
    case bracket
    case part(PGTextSearchQuery.Part)
  }

  private var output: [PGTextSearchQuery.Part] = []
  private var waiting: [Waiting] = []

  mutating func parse(_ reader: inout ByteReader) -> [PGTextSearchQuery.Part]? {
    if reader.isAtEnd { return [] }
    var wantsOperand = true
    while !reader.isAtEnd {
      if reader.take(ASCII.space) { continue }
      guard wantsOperand ? takeOperand(&reader, &wantsOperand) : takeSign(&reader, &wantsOperand)
      else { return nil }
    }
    while let last = waiting.popLast() {
      guard case .part(let part) = last else { return nil }
      output.append(part)
    }
    return wantsOperand ? nil : output.reversed()
  }

  private mutating func takeOperand(_ reader: inout ByteReader, _ wantsOperand: inout Bool) -> Bool
  {
    if reader.take(UInt8(ascii: "!")) {
      waiting.append(.part(.not))
    } else if reader.take(UInt8(ascii: "(")) {
      waiting.append(.bracket)
    } else {
      guard let word = reader.takeLexeme() else { return false }
      output.append(lexeme(word, &reader))
      wantsOperand = false
    }
    return true
  }

  private func lexeme(_ word: String, _ reader: inout ByteReader) -> PGTextSearchQuery.Part {
    var weights: UInt8 = 0
    var isPrefix = false
    guard reader.take(UInt8(ascii: ":")) else {
      return .lexeme(word, weights: 0, isPrefix: false)
    }
    while let byte = reader.next {
      switch byte | 0x20 {
      case UInt8(ascii: "a"): weights |= 8
      case UInt8(ascii: "b"): weights |= 4
      case UInt8(ascii: "c"): weights |= 2
      case UInt8(ascii: "d"): weights |= 1
      default:
        guard byte == UInt8(ascii: "*") else {
          return .lexeme(word, weights: weights, isPrefix: isPrefix)
        }
        isPrefix = true
      }
      _ = reader.take(byte)
    }
    return .lexeme(word, weights: weights, isPrefix: isPrefix)
  }

  private mutating func takeSign(_ reader: inout ByteReader, _ wantsOperand: inout Bool) -> Bool {
    if reader.take(UInt8(ascii: ")")) {
      while let last = waiting.popLast() {
        guard case .part(let part) = last else { return true }
        output.append(part)
      }
      return false
    }
    guard let sign = sign(&reader) else { return false }
    while case .part(let part)? = waiting.last, part.priority >= sign.priority {
      output.append(part)
      waiting.removeLast()
    }
    waiting.append(.part(sign))
    wantsOperand = true
    return true
  }

  private func sign(_ reader: inout ByteReader) -> PGTextSearchQuery.Part? {
    if reader.take(UInt8(ascii: "&")) { return .and }
    if reader.take(UInt8(ascii: "|")) { return .or }
    guard reader.take(UInt8(ascii: "<")) else { return nil }
    if reader.take(ASCII.minus) { return reader.take(UInt8(ascii: ">")) ? .phrase(1) : nil }
    guard let distance = reader.takeInteger(UInt16.self), reader.take(UInt8(ascii: ">")) else {
      return nil
    }
    return .phrase(distance)
  }
}
