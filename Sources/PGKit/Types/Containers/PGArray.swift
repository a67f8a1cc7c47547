/// An array of the server, with any number of dimensions, their lower bounds, and NULLs.
///
/// A plain Swift array will do where there is one dimension from subscript 1 on, or where the number
/// of dimensions is known: `[Int]`, `[[Int?]]`.
///
/// In py-postgresql: `postgresql.types.Array`. Source: PostgreSQL manual, "Arrays".
public struct PGArray<Element: PGEncodable & PGDecodable>: Sendable {
  /// The elements of all dimensions in their order on the wire: the last subscript changes first.
  public let elements: [Element?]
  let shape: ArrayShape
  /// How the text form was laid out by the type that it came with.
  private let style: ArrayStyle?

  /// The dimensions, the outermost first; none for an empty array.
  public var dimensions: [PGArrayDimension] { shape.dimensions }

  /// An array of one dimension, from subscript 1 on.
  public init(_ elements: [Element?]) {
    self.init(elements, ArrayShape.of([elements.count]))
  }

  /// An array of two dimensions, from subscripts 1 on.
  ///
  /// - Throws: ``PGError`` `--PIO` if the rows differ in length, or are empty.
  public init(rows: [[Element?]]) throws(PGError) {
    let width = rows.first?.count ?? 0
    guard rows.allSatisfy({ $0.count == width }), width > 0 || rows.isEmpty else {
      throw .parameter("the rows of an array are empty, or differ in length")
    }
    self.init(Array(rows.joined()), ArrayShape.of(rows.isEmpty ? [] : [rows.count, width]))
  }

  /// An array of any dimensions.
  ///
  /// - Throws: ``PGError`` `--PIO` if there are more or fewer elements than the dimensions have places,
  ///   or more than six dimensions.
  public init(_ elements: [Element?], dimensions: [PGArrayDimension]) throws(PGError) {
    let shape = ArrayShape(dimensions)
    guard dimensions.count <= ArrayShape.dimensionLimit else {
      throw .parameter("an array has at most \(ArrayShape.dimensionLimit) dimensions")
    }
    guard shape.count == elements.count else {
      throw .parameter("\(elements.count) elements do not fill the array's dimensions")
    }
    self.init(elements, shape)
  }

  /// An array of any dimensions, by their bounds in SQL's subscripts.
  ///
  /// - Throws: ``PGError`` `--PIO` if there are more lower bounds than upper ones, or the elements do
  ///   not fill the dimensions.
  ///
  /// In py-postgresql: `Array.from_elements`.
  public init(
    _ elements: [Element?], lowerBounds: [Int], upperBounds: [Int]
  ) throws(PGError) {
    guard lowerBounds.count == upperBounds.count else {
      throw .parameter(
        "there are \(lowerBounds.count) lower bounds and \(upperBounds.count) upper bounds")
    }
    // An empty array may be said to have the bounds of nothing.
    if elements.isEmpty, zip(lowerBounds, upperBounds).contains(where: { $0 > $1 }) {
      self.init([])
      return
    }
    var dimensions: [PGArrayDimension] = []
    for (lowest, highest) in zip(lowerBounds, upperBounds) {
      let (distance, overflow) = highest.subtractingReportingOverflow(lowest)
      guard !overflow, distance < Int.max else {
        throw .parameter("an array's bounds cannot be \(lowest) and \(highest)")
      }
      dimensions.append(try PGArrayDimension(count: distance + 1, lowerBound: lowest))
    }
    try self.init(elements, dimensions: dimensions)
  }

  /// The subscripts in SQL of the first element.
  public var lowerBounds: [Int] { dimensions.map(\.lowerBound) }
  /// The subscripts in SQL of the last element.
  public var upperBounds: [Int] { dimensions.map(\.upperBound) }

  /// The element at a place, counted from 0 in each dimension, from the end where negative.
  ///
  /// - Throws: ``PGError`` 2202E if there is no such place, or the number of dimensions is another.
  ///
  /// In py-postgresql: `get_element`.
  public func element(at place: [Int]) throws(PGError) -> Element? {
    guard place.count == dimensions.count else {
      throw Self.noPlace("\(place.count) indices, but the array has \(dimensions.count) dimensions")
    }
    var index = 0
    for (axis, (step, dimension)) in zip(shape.strides, dimensions).enumerated() {
      let position = place[axis] < 0 ? place[axis] + dimension.count : place[axis]
      guard 0..<dimension.count ~= position else {
        throw Self.noPlace("\(place[axis]) is beyond the \(dimension.count) of dimension \(axis)")
      }
      index += position * step
    }
    return elements[index]
  }

  /// The element at SQL's subscripts; `nil` for NULL and for no element, as in SQL.
  ///
  /// In py-postgresql: `sql_get_element`.
  public func element(atSubscripts subscripts: Int...) -> Element? {
    element(atSubscripts: subscripts)
  }

  func element(atSubscripts subscripts: [Int]) -> Element? {
    guard subscripts.count == dimensions.count else { return nil }
    var index = 0
    for (axis, (step, dimension)) in zip(shape.strides, dimensions).enumerated() {
      guard dimension.lowerBound...dimension.upperBound ~= subscripts[axis] else { return nil }
      index += (subscripts[axis] - dimension.lowerBound) * step
    }
    return elements.indices.contains(index) ? elements[index] : nil
  }

  /// A part of the array along its first dimension, whose lower bound becomes 1; what lies outside is
  /// left out.
  public func slice(_ range: Range<Int>) -> PGArray {
    guard let first = dimensions.first, let step = shape.strides.first else { return self }
    let part = range.clamped(to: 0..<first.count)
    guard !part.isEmpty else { return PGArray([]) }
    let kept = Array(elements[part.lowerBound * step..<part.upperBound * step])
    return PGArray(kept, ArrayShape.of([part.count] + dimensions.dropFirst().map(\.count)))
  }

  /// What is at one place of the first dimension, counted from 0, from the end where negative: an array
  /// with one dimension less.
  ///
  /// - Throws: ``PGError`` 2202E if there is no such place.
  public func row(_ index: Int) throws(PGError) -> PGArray {
    guard let first = dimensions.first, let step = shape.strides.first else {
      throw Self.noPlace("\(index) is beyond an empty array")
    }
    let position = index < 0 ? index + first.count : index
    guard 0..<first.count ~= position else {
      throw Self.noPlace("\(index) is beyond the \(first.count) of dimension 0")
    }
    guard dimensions.count > 1 else {
      throw Self.noPlace("there is one dimension, so \(index) is an element and no row")
    }
    return PGArray(
      Array(elements[position * step..<(position + 1) * step]),
      ArrayShape(Array(dimensions.dropFirst())))
  }

  init(_ elements: [Element?], _ shape: ArrayShape, _ style: ArrayStyle? = nil) {
    // A dynamic NULL is a NULL, however it was written down.
    let hasDynamicNull = elements.contains { $0?.isNull == true }
    self.elements = hasDynamicNull ? elements.map { $0?.isNull == true ? nil : $0 } : elements
    self.shape = shape
    self.style = style
  }

  /// Hands the elements over as rows of an array around this one.
  func visitRows(
    at level: Int, _ visitor: inout ArrayVisitor
  ) throws(PGError) where Element: PGArrayElement {
    guard let first = dimensions.first else { return try visitor.enter(0, at: level) }
    try visitor.enter(first.count, at: level)
    if dimensions.count > 1 {
      for index in 0..<first.count { try row(index).visitRows(at: level + 1, &visitor) }
    } else {
      for element in elements {
        switch element {
        case let element?: try element.visitElements(at: level + 1, &visitor)
        case nil: try visitor.visit(nil, at: level + 1)
        }
      }
    }
  }

  private static func noPlace(_ reason: String) -> PGError {
    PGError(code: .arraySubscriptError, message: "no such element: \(reason)", fault: .caller)
  }
}

extension PGArray: Equatable where Element: Equatable {
  /// Whether they have equal elements in equal dimensions.
  public static func == (left: PGArray, right: PGArray) -> Bool {
    left.shape == right.shape && left.elements == right.elements
  }
}

extension PGArray: Hashable where Element: Hashable {
  /// Feeds the elements and the dimensions.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(elements)
    hasher.combine(shape)
  }
}

extension PGArray: ExpressibleByArrayLiteral {
  /// An array of one dimension, from subscript 1 on.
  public init(arrayLiteral elements: Element?...) { self.init(elements) }
}

extension PGArray: PGEncodable {
  /// The format in which the array becomes a parameter of `type`.
  public func encodingFormat(for type: PGType) -> PGFormat? {
    if type.takesAnyText { return .text }
    guard let element = type.element?.written else { return nil }
    // In binary the server takes no vector without elements.
    if type.isVector, elements.isEmpty { return .text }
    var format = BuiltinTypes.resultFormat(for: type)
    for case let value? in elements {
      guard let wanted = value.encodingFormat(for: element) else { return nil }
      if wanted == .text { format = .text }
    }
    return format
  }

  /// Writes the dimensions, and each element with its length.
  public func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try encode(.binary, as: type, into: &writer)
  }

  /// Writes `{1,2}`, with the bounds before it where they are not from 1 on: `[0:1]={1,2}`.
  public func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
    try encode(.text, as: type, into: &writer)
  }

  private func encode(
    _ format: PGFormat, as type: PGType, into writer: inout ByteWriter
  ) throws(PGError) {
    var writing = ArrayWriting(type)
    let hasNull = elements.contains { $0 == nil }
    try shape.require(hasNull: hasNull, for: type, of: Self.self)
    if type.element == nil {
      writing.style = style ?? ArrayStyle(of: elements.lazy.compactMap { $0 }.first)
    }
    writing.begin(shape, hasNull: hasNull, format, &writer)
    do throws(PGError) {
      for element in elements { try writing.write(element) }
    } catch {
      writing.end(&writer)
      throw error
    }
    writing.end(&writer)
  }
}

extension PGArray: PGDecodable, PGColumnValue, PGArrayElement {
  /// Whether a column of `type` in `format` is an array of such elements.
  public static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
    type.element.map { Element.accepts($0.values, format) } ?? false
  }

  /// Reads the dimensions, and each element with its length.
  public init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(&reader, .binary, as: type)
  }

  /// Reads `{1,2}`, with or without bounds before it.
  public init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
    try self.init(&reader, .text, as: type)
  }

  private init(
    _ reader: inout ByteReader, _ format: PGFormat, as type: PGType
  ) throws(PGError) {
    var source = try ArraySource(&reader, format, as: type)
    let level = source.shape.dimensions.count
    var elements: [Element?] = []
    for _ in 0..<(source.shape.count ?? 0) {
      if source.takeNull(at: level) {
        elements.append(nil)
      } else {
        elements.append(try source.take(Element.self))
      }
    }
    try source.finish(&reader)
    self.init(elements, source.shape, type.arrayStyle)
  }
}

extension PGArray: CustomStringConvertible {
  /// The text form, as the server prints it.
  public var description: String { shownText }
}
