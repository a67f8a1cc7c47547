// Swift allows Array one conformance, so the element says what an array of it is: an array of
// UInt8 is bytea, and an array of anything else is the server's array of that.

/// A type of which a Swift array can be a parameter or a column: a value, an optional of one, or an
/// array of such, which adds a dimension.
///
/// A type of a program's own that is ``PGEncodable`` and ``PGDecodable`` need only say that it
/// conforms.
public protocol PGArrayElement: Sendable {
  /// The number of dimensions that an array of it has; 0 if such an array is a single value.
  static var arrayDimensions: Int { get }

  /// Hands the values that the element consists of to a visitor, in order.
  ///
  /// - Parameters:
  ///   - level: The dimension of which it is an element, from 0.
  ///   - visitor: Who is handed the values.
  /// - Throws: ``PGError`` `--PIO` if its shape is not that of its neighbours.
  func visitElements(at level: Int, _ visitor: inout ArrayVisitor) throws(PGError)

  /// Takes the values that an element consists of.
  ///
  /// - Throws: ``PGError`` `--CIO` if a value is not to be had as this type.
  static func takeElement(at level: Int, _ source: inout ArraySource) throws(PGError) -> Self

  /// Whether values of a server's array of `element` can be had.
  static func acceptsElement(_ element: PGType, _ format: PGFormat) -> Bool

  /// The format in which an array becomes a parameter of `type`, where an array is a value.
  static func valueFormat(for type: PGType) -> PGFormat?
  /// Writes an array that is a value.
  static func encodeValue(
    _ elements: [Self], _ format: PGFormat, as type: PGType, into writer: inout ByteWriter
  ) throws(PGError)
  /// Reads an array that is a value.
  static func decodeValue(
    _ reader: inout ByteReader, _ format: PGFormat, as type: PGType
  ) throws(PGError) -> [Self]
}

extension PGArrayElement {
  /// None: an array is an array.
  public static func valueFormat(for type: PGType) -> PGFormat? { nil }

  /// Never called: an array is an array.
  public static func encodeValue(
    _ elements: [Self], _ format: PGFormat, as type: PGType, into writer: inout ByteWriter
  ) throws(PGError) {
    throw .unwritable([Self].self, as: type)
  }

  /// Never called: an array is an array.
  public static func decodeValue(
    _ reader: inout ByteReader, _ format: PGFormat, as type: PGType
  ) throws(PGError) -> [Self] {
    throw .unreadable(type, as: [Self].self)
  }
}

extension PGArrayElement where Self: PGEncodable & PGDecodable {
  /// One.
  public static var arrayDimensions: Int { 1 }

  /// Hands itself over.
  public func visitElements(at level: Int, _ visitor: inout ArrayVisitor) throws(PGError) {
    try visitor.visit(isNull ? nil : self, at: level)
  }

  /// Takes one value; NULL is an error.
  public static func takeElement(
    at level: Int, _ source: inout ArraySource
  ) throws(PGError) -> Self {
    try source.take(Self.self)
  }

  /// Whether such a value can be read from an array.
  public static func acceptsElement(_ element: PGType, _ format: PGFormat) -> Bool {
    accepts(element.values, format)
  }
}

extension Optional: PGArrayElement where Wrapped: PGArrayElement {
  /// As many as of its values.
  public static var arrayDimensions: Int { max(1, Wrapped.arrayDimensions) }

  /// Hands its value over, or NULL.
  public func visitElements(at level: Int, _ visitor: inout ArrayVisitor) throws(PGError) {
    switch self {
    case let value?: try value.visitElements(at: level, &visitor)
    case nil: try visitor.visit(nil, at: level)
    }
  }

  /// Takes a value, or NULL.
  public static func takeElement(
    at level: Int, _ source: inout ArraySource
  ) throws(PGError) -> Self {
    if source.takeNull(at: level) { return nil }
    return try Wrapped.takeElement(at: level, &source)
  }

  /// Whether such a value can be read from an array.
  public static func acceptsElement(_ element: PGType, _ format: PGFormat) -> Bool {
    Wrapped.acceptsElement(element, format)
  }
}

extension Array: PGArrayElement where Element: PGArrayElement {
  /// One more than its elements have; one, where the array is a value.
  public static var arrayDimensions: Int { Element.arrayDimensions + 1 }

  /// Hands itself over where it is a value; else its elements, as a dimension.
  public func visitElements(at level: Int, _ visitor: inout ArrayVisitor) throws(PGError) {
    if Element.arrayDimensions == 0 { return try visitor.visit(self, at: level) }
    try visitor.enter(count, at: level)
    for element in self { try element.visitElements(at: level + 1, &visitor) }
  }

  /// Takes one value, or a dimension of them.
  public static func takeElement(
    at level: Int, _ source: inout ArraySource
  ) throws(PGError) -> Self {
    if Element.arrayDimensions == 0 { return try source.take(Self.self) }
    return try elements(at: level, &source)
  }

  /// The elements of one dimension.
  fileprivate static func elements(
    at level: Int, _ source: inout ArraySource
  ) throws(PGError) -> Self {
    var elements: Self = []
    for _ in 0..<source.extent(at: level) {
      elements.append(try Element.takeElement(at: level + 1, &source))
    }
    return elements
  }

  /// Whether such values can be read from an array.
  public static func acceptsElement(_ element: PGType, _ format: PGFormat) -> Bool {
    if Element.arrayDimensions == 0 { return accepts(element.values, format) }
    return Element.acceptsElement(element, format)
  }
}

extension Array: PGEncodable where Element: PGArrayElement {
  /// The format in which an array of such values becomes a parameter of `type`.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    if type.base == .vector { return vector == nil ? nil : .binary }
    if Element.arrayDimensions == 0 { return Element.valueFormat(for: type) }
    return ArrayShape.format(for: type, of: Self.self) { visitor throws(PGError) in
      try visitElements(at: 0, &visitor)
    }
  }

  /// Writes the array in the binary form of `type`.
  ///
  /// - Throws: ``PGError`` `--PIO` if rows of one dimension differ in length, or a value does not fit.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try encode(.binary, as: type, into: &writer)
  }

  /// Writes the array in the text form of `type`.
  ///
  /// - Throws: ``PGError`` `--PIO` if rows of one dimension differ in length, or a value does not fit.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try encode(.text, as: type, into: &writer)
  }

  /// The numbers as those of a vector, as near as a float4 comes to them.
  private var vector: PGVector? {
    switch self {
    case let numbers as [Float]: PGVector(numbers)
    case let numbers as [Double]: PGVector(numbers.map { Float($0) })
    case let numbers as [Int]: PGVector(numbers.map { Float($0) })
    default: nil
    }
  }

  private func encode(
    _ format: PGFormat, as type: PGType, into writer: inout ByteWriter
  ) throws(PGError) {
    if Element.arrayDimensions == 0 {
      return try Element.encodeValue(self, format, as: type, into: &writer)
    }
    if type.base == .vector, let vector {
      return try vector.encodeBinary(as: type, into: &writer)
    }
    try ArrayShape.encode(format, as: type, of: Self.self, into: &writer) {
      visitor throws(PGError) in
      try visitElements(at: 0, &visitor)
    }
  }
}

extension Array: PGColumnValue, PGDecodable where Element: PGArrayElement {
  /// Whether a column of `type` in `format` can become an array of such values.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    if Element.arrayDimensions == 0 { return Element.valueFormat(for: type) == .binary }
    if type.base == .vector { return Element.self is Float.Type || Element.self is Double.Type }
    return type.element.map { Element.acceptsElement($0, format) } ?? false
  }

  /// Reads an array from the binary form of `type`.
  ///
  /// - Throws: ``PGError`` `--CIO` if it has another number of dimensions, or a value is not to be had
  ///   as the element.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    self = try Self.decode(&reader, .binary, as: type)
  }

  /// Reads an array from the text form of `type`.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    self = try Self.decode(&reader, .text, as: type)
  }

  private static func decode(
    _ reader: inout ByteReader, _ format: PGFormat, as type: PGType
  ) throws(PGError) -> Self {
    if Element.arrayDimensions == 0 {
      return try Element.decodeValue(&reader, format, as: type)
    }
    if type.base == .vector {
      let numbers = try PGVector.decode(&reader, type, format)
      if let numbers = numbers as? Self ?? numbers.map({ Double($0) }) as? Self { return numbers }
      throw .unreadable(type, as: Self.self)
    }
    var source = try ArraySource(&reader, format, as: type)
    let shown = source.shape.dimensions.count
    if shown == 0 { return [] }
    guard shown == Element.arrayDimensions else {
      throw .unreadable(
        type, as: Self.self, ": it has \(shown) dimension\(shown == 1 ? "" : "s"); PGArray has any")
    }
    let array = try elements(at: 0, &source)
    try source.finish(&reader)
    return array
  }
}
