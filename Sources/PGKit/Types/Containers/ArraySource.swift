/// The elements of an array that came from the server, in order.
public struct ArraySource {
  private enum Elements {
    case binary(ByteReader)
    case text(ArrayText)
  }

  let shape: ArrayShape
  /// The type of the elements, as the array itself says.
  private let element: PGType
  private let format: PGFormat
  private var elements: Elements

  /// Reads all that remains as an array.
  init(
    _ reader: inout ByteReader, _ format: PGFormat, as type: PGType
  ) throws(PGError) {
    guard let element = type.element else { throw .unreadable(type, as: [Any].self) }
    self.element = element.values
    self.format = format
    switch format {
    case .binary:
      let (shape, said) = try ArrayShape.decodeBinary(&reader, as: type)
      guard said == element.oid else {
        throw .malformed(type, "elements of SQL type \(said.name)")
      }
      guard !type.isVector || shape.dimensions.map(\.lowerBound) == [0] || shape.dimensions.isEmpty
      else {
        throw .malformed(type, "it does not count from 0, in one dimension")
      }
      self.shape = shape
      elements = .binary(reader)
    case .text:
      let text = try ArrayText(&reader, as: type)
      shape = text.shape
      elements = .text(text)
    }
  }

  /// The number of elements along a dimension, counted from 0.
  func extent(at level: Int) -> Int {
    shape.dimensions.indices.contains(level) ? shape.dimensions[level].count : 0
  }

  /// Takes the next element if it is NULL and elements are at this level.
  mutating func takeNull(at level: Int) -> Bool {
    guard level == shape.dimensions.count else { return false }
    switch elements {
    case .binary(var reader):
      guard let length = try? reader.readInteger(Int32.self), length == -1 else { return false }
      elements = .binary(reader)
      return true
    case .text(var text):
      guard text.takeNull() else { return false }
      elements = .text(text)
      return true
    }
  }

  /// Takes the next element as a value.
  mutating func take<Value: PGColumnValue>(_: Value.Type) throws(PGError) -> Value {
    switch elements {
    case .binary(var reader):
      let value = try reader.takeField(Value.self, element, .binary)
      elements = .binary(reader)
      return value
    case .text(var text):
      // Left alone while its copy changes, so that nothing is copied.
      elements = .binary(ByteReader(UnsafeRawBufferPointer(start: nil, count: 0)))
      defer { elements = .text(text) }
      return try text.take(Value.self, element)
    }
  }

  /// Makes sure that everything was taken.
  func finish(_ reader: inout ByteReader) throws(PGError) {
    guard case .binary(let rest) = elements else { return }
    try rest.expectEnd(of: element)
    _ = try? reader.skip(reader.remaining)
  }
}

extension ByteReader {
  /// Reads a value that is preceded by its length, −1 for NULL.
  mutating func takeField<Value: PGColumnValue>(
    _: Value.Type, _ type: PGType, _ format: PGFormat
  ) throws(PGError) -> Value {
    let field: ByteReader?
    do {
      field = try readNullableLength().map { length throws(OutOfBytes) in try readSlice(length) }
    } catch { throw .malformed(type, "its length goes beyond what it is part of") }
    return try Value.decodeColumn(field, type: type, format: format)
  }
}

/// An array's text form, taken apart: `{{a,"b c"},{NULL,d}}`.
struct ArrayText {
  private(set) var shape = ArrayShape([])
  /// What the quotes and backslashes stand for, one element behind another.
  private var bytes: [UInt8] = []
  private var cells: [Cell] = []
  private var position = 0

  init(_ reader: inout ByteReader, as type: PGType) throws(PGError) {
    if type.isVector {
      try readVector(&reader, as: type)
      return
    }
    let bounds = try ArrayShape.decodeBounds(&reader, as: type)
    try readBraces(&reader, type.delimiter, as: type)
    guard reader.isAtEnd else { throw Self.malformed(type) }
    guard let bounds else { return }
    guard bounds.hasExtents(of: shape) else { throw Self.malformed(type) }
    shape = bounds
  }

  /// Elements between spaces, as the catalogues' vectors have them.
  private mutating func readVector(
    _ reader: inout ByteReader, as type: PGType
  ) throws(PGError) {
    let text = try reader.readWholeText(of: type)
    for part in text.split(separator: " ") { append(Array(part.utf8)) }
    guard !cells.isEmpty else { return }
    shape = ArrayShape([try PGArrayDimension(count: cells.count, lowerBound: 0)])
  }

  /// Reads braces with elements between them; all runs of one dimension must be of one length.
  private mutating func readBraces(
    _ reader: inout ByteReader, _ delimiter: UInt8, as type: PGType
  ) throws(PGError) {
    // The elements so far of each open brace, and the length that the runs of each level have.
    var open: [Int] = []
    var extents: [Int] = []
    var depth: Int?
    repeat {
      if reader.take(UInt8(ascii: "{")) {
        guard open.count < ArrayShape.dimensionLimit, depth.map({ open.count < $0 }) ?? true else {
          throw Self.malformed(type)
        }
        open.append(0)
        if !reader.take(UInt8(ascii: "}")) { continue }
        // Empty: only as a whole.
        guard open.count == 1, cells.isEmpty else { throw Self.malformed(type) }
        return
      }
      guard depth ?? open.count == open.count, !open.isEmpty else { throw Self.malformed(type) }
      depth = open.count
      try readElement(&reader, delimiter, as: type)
      open[open.count - 1] += 1
      while reader.take(UInt8(ascii: "}")) {
        let level = open.count - 1
        let count = open.removeLast()
        while extents.count <= level { extents.append(0) }
        guard extents[level] == 0 || extents[level] == count else { throw Self.malformed(type) }
        extents[level] = count
        if open.isEmpty { break }
        open[open.count - 1] += 1
      }
      if open.isEmpty { break }
      guard reader.take(delimiter) else { throw Self.malformed(type) }
    } while true
    shape = ArrayShape.of(extents)
  }

  private mutating func readElement(
    _ reader: inout ByteReader, _ delimiter: UInt8, as type: PGType
  ) throws(PGError) {
    if reader.take(ASCII.doubleQuote) {
      guard let text = reader.takeQuoted() else { throw Self.malformed(type) }
      return append(text)
    }
    var text: [UInt8] = []
    while let byte = reader.next, byte != delimiter, byte != UInt8(ascii: "}") {
      guard byte != UInt8(ascii: "{"), byte != ASCII.doubleQuote else { throw Self.malformed(type) }
      _ = reader.take(byte)
      if byte == ASCII.backslash {
        guard let escaped = try? reader.readByte() else { throw Self.malformed(type) }
        text.append(escaped)
      } else {
        text.append(byte)
      }
    }
    if text.isEmpty { throw Self.malformed(type) }
    if text.count == 4, text.map({ $0 | 0x20 }) == Array("null".utf8) {
      cells.append(.null)
    } else {
      append(text)
    }
  }

  private mutating func append(_ text: [UInt8]) {
    cells.append(
      Cell(
        offset: UInt32(truncatingIfNeeded: bytes.count),
        length: Int32(truncatingIfNeeded: text.count)))
    bytes += text
  }

  private static func malformed(_ type: PGType) -> PGError {
    .malformed(type, "it is not the text form of an array")
  }

  mutating func takeNull() -> Bool {
    guard cells.indices.contains(position), cells[position].isNull else { return false }
    position += 1
    return true
  }

  mutating func take<Value: PGColumnValue>(
    _: Value.Type, _ element: PGType
  ) throws(PGError) -> Value {
    guard cells.indices.contains(position) else { throw Self.malformed(element) }
    let cell = cells[position]
    position += 1
    if cell.isNull { return try Value.decodeColumn(nil, type: element, format: .text) }
    let start = Int(cell.offset)
    return try ByteReader.over(bytes[start..<start + Int(cell.length)]) {
      reader throws(PGError) in
      try Value.decodeColumn(reader, type: element, format: .text)
    }
  }
}
