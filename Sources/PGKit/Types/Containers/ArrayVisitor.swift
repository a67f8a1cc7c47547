/// Goes over the values of an array that is a parameter: once to learn its shape and the format that
/// they want, and once to write them.
public struct ArrayVisitor {
  private enum Task { case measure, write }

  private let type: PGType
  private let element: PGType
  /// The Swift type of the array, for errors.
  private let given: Any.Type
  private var task = Task.measure
  private var extents: [Int] = []
  /// The level at which values are, once there was one.
  private var depth: Int?
  fileprivate private(set) var hasNull = false
  /// The format in which all values so far can travel; `nil` if one cannot at all.
  fileprivate private(set) var format: PGFormat? = .binary
  /// How arrays of such values are laid out, where the type does not say it.
  private var style: ArrayStyle?
  private var writing: ArrayWriting

  fileprivate init(_ type: PGType, of given: Any.Type) {
    self.type = type
    self.given = given
    element = type.element?.written ?? type.passing(to: PGType(.unspecified))
    writing = ArrayWriting(type)
  }

  /// Whether the values are arrays themselves, as those of `int2vector` are.
  var takesArrays: Bool { element.element != nil }

  /// Whether there is nothing in it.
  fileprivate var isEmpty: Bool { extents.allSatisfy { $0 == 0 } }

  /// Begins a dimension of `count` elements at `level`, counted from 0.
  ///
  /// - Throws: ``PGError`` `--PIO` if others at that level have another number, or none.
  public mutating func enter(_ count: Int, at level: Int) throws(PGError) {
    guard task == .measure else { return }
    if level > 0, count == 0 {
      throw refusal("a dimension cannot be empty within another")
    }
    if level < extents.count, depth.map({ level < $0 }) ?? true {
      guard extents[level] == count else { throw ragged }
    } else if depth == nil, level == extents.count {
      guard level < ArrayShape.dimensionLimit else {
        throw refusal("an array has at most \(ArrayShape.dimensionLimit) dimensions")
      }
      extents.append(count)
    } else {
      throw ragged
    }
  }

  /// Takes a value, or NULL, that is an element at `level`.
  ///
  /// - Throws: ``PGError`` `--PIO` if others are at another level, or it cannot be written.
  public mutating func visit(_ value: (any PGEncodable)?, at level: Int) throws(PGError) {
    switch task {
    case .measure:
      guard depth ?? level == level, level == extents.count else { throw ragged }
      depth = level
      if element.oid == .unspecified, style == nil, let value { style = ArrayStyle(of: value) }
      guard let value else { return hasNull = true }
      guard let wanted = value.encodingFormat(for: element) else { return format = nil }
      if wanted == .text, format != nil { format = .text }
    case .write: try writing.write(value)
    }
  }

  private var ragged: PGError {
    refusal("its rows differ in length, or in their number of dimensions")
  }

  private func refusal(_ reason: String) -> PGError {
    .unwritable(given, as: type, ": " + reason)
  }

  fileprivate mutating func beginWriting(
    _ format: PGFormat, _ writer: inout ByteWriter
  ) throws(PGError) {
    task = .write
    let shape = ArrayShape.of(extents)
    try shape.require(hasNull: hasNull, for: type, of: given)
    if let style { writing.style = style }
    writing.begin(shape, hasNull: hasNull, format, &writer)
  }

  fileprivate mutating func endWriting(_ writer: inout ByteWriter) { writing.end(&writer) }
}

extension ArrayShape {
  typealias Walk = (inout ArrayVisitor) throws(PGError) -> Void

  /// The format in which an array becomes a parameter of `type`; `nil` if it cannot.
  ///
  /// What is wrong with the shape is said when it is written.
  static func format(
    for type: PGType, of given: Any.Type, _ walk: Walk
  ) -> PGFormat? {
    if type.takesAnyText { return .text }
    guard type.element != nil else { return nil }
    var visitor = ArrayVisitor(type, of: given)
    do throws(PGError) { try walk(&visitor) } catch { return .text }
    guard let format = visitor.format else { return nil }
    // In binary the server takes no vector without elements.
    if type.isVector, visitor.isEmpty { return .text }
    return format == .text ? .text : BuiltinTypes.resultFormat(for: type)
  }

  /// Writes an array.
  static func encode(
    _ format: PGFormat, as type: PGType, of given: Any.Type, into writer: inout ByteWriter,
    _ walk: Walk
  ) throws(PGError) {
    var visitor = ArrayVisitor(type, of: given)
    try walk(&visitor)
    try visitor.beginWriting(format, &writer)
    do throws(PGError) { try walk(&visitor) } catch {
      visitor.endWriting(&writer)
      throw error
    }
    visitor.endWriting(&writer)
  }

  /// Insists that one of the catalogues' vectors is given what it can have.
  func require(
    hasNull: Bool, for type: PGType, of given: Any.Type
  ) throws(PGError) {
    guard !type.isVector || dimensions.count <= 1 && !hasNull else {
      throw .unwritable(given, as: type, ": it has one dimension, and no NULLs")
    }
  }
}

/// Writes an array's values one after another, with what stands between them.
struct ArrayWriting {
  private let type: PGType
  private let element: PGType
  /// What the elements are written as.
  private let written: PGType
  /// What is written to, for as long as this writes.
  private var writer = ByteWriter()
  private var format = PGFormat.binary
  /// How the text form is laid out.
  var style: ArrayStyle
  private var shape = ArrayShape([])
  /// The numbers of elements in one run of each dimension, the outermost first.
  private var runs: [Int] = []
  private var index = 0

  init(_ type: PGType) {
    self.type = type
    element = type.element ?? type.passing(to: PGType(.unspecified))
    written = element.written
    style = type.arrayStyle
  }

  /// Writes what precedes the elements.
  mutating func begin(
    _ shape: ArrayShape, hasNull: Bool, _ format: PGFormat, _ writer: inout ByteWriter
  ) {
    swap(&self.writer, &writer)
    self.format = format
    self.shape = shape
    switch (format, style) {
    case (.binary, _):
      // Vectors count from 0.
      shape.encodeBinary(
        hasNull: hasNull, element: element, lowest: type.isVector ? 0 : nil, into: &self.writer)
    case (.text, .vector): break
    case (.text, .braces):
      runs = zip(shape.strides, shape.dimensions).map { $0 * $1.count }
      shape.encodeBounds(into: &self.writer)
      if shape.dimensions.isEmpty { self.writer.writeText("{}") }
    }
  }

  /// Gives the writer back.
  mutating func end(_ writer: inout ByteWriter) { swap(&self.writer, &writer) }

  /// Writes one element.
  ///
  /// - Throws: ``PGError`` `--PIO` of the value, with its place.
  mutating func write(_ value: (any PGEncodable)?) throws(PGError) {
    do throws(PGError) { try writeElement(value) } catch {
      throw error.inside(.init("ELEMENT", "\(shape.subscripts(of: index)) of type \(element.name)"))
    }
    index += 1
    guard format == .text else { return }
    for run in runs where index % run == 0 { writer.writeByte(UInt8(ascii: "}")) }
  }

  private mutating func writeElement(_ value: (any PGEncodable)?) throws(PGError) {
    switch format {
    case .binary:
      guard let value else { return writer.writeInteger(-1 as Int32) }
      let type = written
      try writer.writeLengthPrefixed { (writer: inout ByteWriter) throws(PGError) in
        try value.encodeBinary(as: type, into: &writer)
      }
    case .text:
      if index > 0 { writer.writeByte(style.delimiter) }
      for run in runs where index % run == 0 { writer.writeByte(UInt8(ascii: "{")) }
      try writeText(value)
    }
  }

  private mutating func writeText(_ value: (any PGEncodable)?) throws(PGError) {
    guard let value else { return writer.writeText("NULL") }
    var text = ByteWriter()
    try value.encodeText(as: written, into: &text)
    writer.writePart(text.bytes, .array(delimiter: style.delimiter))
  }
}
