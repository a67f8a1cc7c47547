/// Goes over the values of an array that is a parameter: once to learn its shape and the format that
/// they want, and once to write them.
public struct ArrayVisitor {
  private enum Task { case measure, write }

  private let element: PGType
  private var task = Task.measure
  private var extents: [Int] = []
  /// The level at which values are, once there was one.
  private var depth: Int?
  fileprivate private(set) var hasNull = false
  /// The format in which all values so far can travel; `nil` if one cannot at all.
  fileprivate private(set) var format: PGFormat? = .binary
  private var writing: ArrayWriting

  fileprivate init(_ type: PGType) {
    element = type.element?.values ?? PGType(.unspecified)
    writing = ArrayWriting(type)
  }

  /// Whether the values are arrays themselves, as those of `int2vector` are.
  var takesArrays: Bool { element.element != nil }

  /// Begins a dimension of `count` elements at `level`, counted from 0.
  ///
  /// - Throws: ``PGError`` `--PIO` if others at that level have another number, or none.
  public mutating func enter(_ count: Int, at level: Int) throws(PGError) {
    guard task == .measure else { return }
    if level > 0, count == 0 {
      throw .parameter("an array's dimension cannot be empty within another")
    }
    if level < extents.count, depth.map({ level < $0 }) ?? true {
      guard extents[level] == count else { throw Self.ragged }
    } else if depth == nil, level == extents.count {
      guard level < ArrayShape.dimensionLimit else {
        throw .parameter("an array has at most \(ArrayShape.dimensionLimit) dimensions")
      }
      extents.append(count)
    } else {
      throw Self.ragged
    }
  }

  /// Takes a value, or NULL, that is an element at `level`.
  ///
  /// - Throws: ``PGError`` `--PIO` if others are at another level, or it cannot be written.
  public mutating func visit(_ value: (any PGEncodable)?, at level: Int) throws(PGError) {
    switch task {
    case .measure:
      guard depth ?? level == level, level == extents.count else { throw Self.ragged }
      depth = level
      guard let value else { return hasNull = true }
      guard let wanted = value.encodingFormat(for: element) else { return format = nil }
      if wanted == .text, format != nil { format = .text }
    case .write: try writing.write(value)
    }
  }

  private static var ragged: PGError {
    .parameter("the rows of an array differ in length, or in their number of dimensions")
  }

  fileprivate mutating func beginWriting(_ format: PGFormat, _ writer: inout ByteWriter) {
    task = .write
    writing.begin(ArrayShape.of(extents), hasNull: hasNull, format, &writer)
  }

  fileprivate mutating func endWriting(_ writer: inout ByteWriter) { writing.end(&writer) }
}

extension ArrayShape {
  typealias Walk = (inout ArrayVisitor) throws(PGError) -> Void

  /// The format in which an array becomes a parameter of `type`; `nil` if it cannot.
  ///
  /// What is wrong with the shape is said when it is written.
  static func format(for type: PGType, _ walk: Walk) -> PGFormat? {
    if type.takesAnyText { return .text }
    guard type.element != nil else { return nil }
    var visitor = ArrayVisitor(type)
    do throws(PGError) { try walk(&visitor) } catch { return .text }
    guard let format = visitor.format else { return nil }
    return format == .text ? .text : BuiltinTypes.resultFormat(for: type)
  }

  /// Writes an array.
  static func encode(
    _ format: PGFormat, as type: PGType, into writer: inout ByteWriter, _ walk: Walk
  ) throws(PGError) {
    var visitor = ArrayVisitor(type)
    try walk(&visitor)
    visitor.beginWriting(format, &writer)
    do throws(PGError) { try walk(&visitor) } catch {
      visitor.endWriting(&writer)
      throw error
    }
    visitor.endWriting(&writer)
  }
}

/// Writes an array's values one after another, with what stands between them.
struct ArrayWriting {
  private let type: PGType
  private let element: PGType
  /// What is written to, for as long as this writes.
  private var writer = ByteWriter()
  private var format = PGFormat.binary
  /// The numbers of elements in one run of each dimension, the outermost first.
  private var runs: [Int] = []
  private var index = 0

  init(_ type: PGType) {
    self.type = type
    element = type.element ?? PGType(.unspecified)
  }

  /// Writes what precedes the elements.
  mutating func begin(
    _ shape: ArrayShape, hasNull: Bool, _ format: PGFormat, _ writer: inout ByteWriter
  ) {
    swap(&self.writer, &writer)
    self.format = format
    switch format {
    case .binary:
      // Vectors count from 0.
      shape.encodeBinary(
        hasNull: hasNull, element: element, lowest: isVector ? 0 : nil, into: &self.writer)
    case .text where isVector: break
    case .text:
      runs = zip(shape.strides, shape.dimensions).map { $0 * $1.count }
      shape.encodeBounds(into: &self.writer)
      if shape.dimensions.isEmpty { self.writer.writeText("{}") }
    }
  }

  /// Whether it is one of the catalogues' vectors, whose text has elements between spaces and no more.
  private var isVector: Bool { type.base == .int2vector || type.base == .oidvector }

  /// Gives the writer back.
  mutating func end(_ writer: inout ByteWriter) { swap(&self.writer, &writer) }

  /// Writes one element.
  mutating func write(_ value: (any PGEncodable)?) throws(PGError) {
    switch format {
    case .binary:
      guard let value else { return writer.writeInteger(-1 as Int32) }
      let values = element.values
      try writer.writeLengthPrefixed { (writer: inout ByteWriter) throws(PGError) in
        try value.encodeBinary(as: values, into: &writer)
      }
    case .text:
      if index > 0 { writer.writeByte(isVector ? ASCII.space : type.delimiter) }
      for run in runs where index % run == 0 { writer.writeByte(UInt8(ascii: "{")) }
      index += 1
      try writeText(value)
      for run in runs where index % run == 0 { writer.writeByte(UInt8(ascii: "}")) }
    }
  }

  private mutating func writeText(_ value: (any PGEncodable)?) throws(PGError) {
    guard let value else { return writer.writeText("NULL") }
    var text = ByteWriter()
    try value.encodeText(as: element.values, into: &text)
    writer.writePart(text.bytes, .array(delimiter: type.delimiter))
  }
}
