/// One dimension of an array.
public struct PGArrayDimension: Hashable, Sendable {
  /// The number of elements along it.
  public let count: Int
  /// The subscript of the first of them in SQL; 1 unless an array says more.
  public let lowerBound: Int
  /// The subscript of the last of them in SQL.
  public var upperBound: Int { lowerBound + count - 1 }

  /// Makes a dimension.
  ///
  /// - Throws: ``PGError`` `--PIO` if there is nothing along it, or its bounds are beyond what the
  ///   server can count.
  public init(count: Int, lowerBound: Int = 1) throws(PGError) {
    guard count > 0, Int32(exactly: count) != nil, Int32(exactly: lowerBound) != nil,
      Int32(exactly: lowerBound + count - 1) != nil
    else {
      throw .parameter("an array's dimension cannot have \(count) elements from \(lowerBound) on")
    }
    (self.count, self.lowerBound) = (count, lowerBound)
  }

  fileprivate init(unchecked count: Int, _ lowerBound: Int) {
    (self.count, self.lowerBound) = (count, lowerBound)
  }
}

/// How the text form of an array is laid out.
enum ArrayStyle: Sendable {
  /// Braces around each run of elements, with a byte between them.
  case braces(delimiter: UInt8)
  /// Elements between spaces, as the catalogues' vectors have them.
  case vector

  /// The style of arrays of such values, where no type says it: boxes have commas in themselves.
  init(of value: (any PGEncodable)?) {
    let payload = (value as? PGValue)?.payload ?? value
    self = .braces(delimiter: payload is PGBox ? UInt8(ascii: ";") : ASCII.comma)
  }

  /// The byte between elements.
  var delimiter: UInt8 {
    switch self {
    case .braces(let delimiter): delimiter
    case .vector: ASCII.space
    }
  }
}

/// The dimensions of an array, and how they are written and read.
///
/// Source: PostgreSQL manual, "Arrays"; `array_send` and `array_out`.
struct ArrayShape: Hashable, Sendable {
  /// The most dimensions that the server has (`MAXDIM`).
  static let dimensionLimit = 6

  /// None for an empty array.
  private(set) var dimensions: [PGArrayDimension]

  init(_ dimensions: [PGArrayDimension]) { self.dimensions = dimensions }

  /// The number of elements altogether; `nil` if it is beyond counting.
  var count: Int? {
    if dimensions.isEmpty { return 0 }
    var total = 1
    for dimension in dimensions {
      let (product, overflow) = total.multipliedReportingOverflow(by: dimension.count)
      if overflow { return nil }
      total = product
    }
    return total
  }

  /// The numbers of elements below one step of each dimension, the outermost first.
  var strides: [Int] {
    var strides: [Int] = []
    var step = 1
    for dimension in dimensions.reversed() {
      strides.append(step)
      step &*= dimension.count
    }
    return strides.reversed()
  }

  /// SQL's subscripts of an element: `[1][2]`.
  func subscripts(of index: Int) -> String {
    zip(strides, dimensions).map { step, dimension in
      "[\(dimension.lowerBound + index / step % dimension.count)]"
    }.joined()
  }

  // MARK: Binary

  /// Writes the dimensions, as they precede the elements.
  func encodeBinary(
    hasNull: Bool, element: PGType, lowest: Int?, into writer: inout ByteWriter
  ) {
    writer.writeInteger(Int32(truncatingIfNeeded: dimensions.count))
    writer.writeInteger(hasNull ? 1 : 0 as Int32)
    writer.writeInteger(element.oid.rawValue)
    for dimension in dimensions {
      writer.writeInteger(Int32(truncatingIfNeeded: dimension.count))
      writer.writeInteger(Int32(truncatingIfNeeded: lowest ?? dimension.lowerBound))
    }
  }

  /// Reads the dimensions.
  ///
  /// - Returns: The shape, and the element type that the value itself speaks of.
  static func decodeBinary(
    _ reader: inout ByteReader, as type: PGType
  ) throws(PGError) -> (ArrayShape, TypeOID) {
    let count: Int32 = try reader.readField(of: type)
    let flags: Int32 = try reader.readField(of: type)
    let element = TypeOID(rawValue: try reader.readField(of: type))
    guard 0...dimensionLimit ~= Int(count) else {
      throw .malformed(type, "\(count) dimensions, but there are at most \(dimensionLimit)")
    }
    guard flags == 0 || flags == 1 else { throw .malformed(type, "unknown flags") }
    var shape = ArrayShape([])
    for _ in 0..<count {
      let extent: Int32 = try reader.readField(of: type)
      let lowest: Int32 = try reader.readField(of: type)
      guard extent >= 0, !lowest.addingReportingOverflow(max(0, extent - 1)).overflow else {
        throw .malformed(type, "a dimension that cannot be")
      }
      shape.dimensions.append(PGArrayDimension(unchecked: Int(extent), Int(lowest)))
    }
    // Nothing along one dimension is nothing at all.
    if shape.dimensions.contains(where: { $0.count == 0 }) { shape.dimensions = [] }
    // Each element has at least its length.
    guard let total = shape.count, total <= reader.remaining / 4 else {
      throw .malformed(type, "more elements than bytes")
    }
    return (shape, element)
  }

  // MARK: Text

  /// Writes the bounds, where they are not those that every array has: `[0:1]=`.
  func encodeBounds(into writer: inout ByteWriter) {
    guard dimensions.contains(where: { $0.lowerBound != 1 }) else { return }
    for dimension in dimensions {
      writer.writeText("[\(dimension.lowerBound):\(dimension.upperBound)]")
    }
    writer.writeByte(UInt8(ascii: "="))
  }

  /// Reads the bounds: `[0:1][5:7]=`; `nil` if there are none.
  static func decodeBounds(
    _ reader: inout ByteReader, as type: PGType
  ) throws(PGError) -> ArrayShape? {
    guard reader.next == UInt8(ascii: "[") else { return nil }
    var shape = ArrayShape([])
    while reader.take(UInt8(ascii: "[")) {
      guard let lowest = reader.takeInteger(Int32.self), reader.take(UInt8(ascii: ":")),
        let highest = reader.takeInteger(Int32.self), reader.take(UInt8(ascii: "]")),
        highest >= lowest, shape.dimensions.count < dimensionLimit
      else { throw .malformed(type, "bounds that cannot be") }
      shape.dimensions.append(
        PGArrayDimension(unchecked: Int(highest) - Int(lowest) + 1, Int(lowest)))
    }
    guard reader.take(UInt8(ascii: "=")) else { throw .malformed(type, "no = behind the bounds") }
    return shape
  }

  /// The shape with these numbers of elements, from subscript 1 on.
  static func of(_ extents: [Int]) -> ArrayShape {
    ArrayShape(extents.contains(0) ? [] : extents.map { PGArrayDimension(unchecked: $0, 1) })
  }

  /// Whether the numbers of elements are the same.
  func hasExtents(of other: ArrayShape) -> Bool {
    dimensions.map(\.count) == other.dimensions.map(\.count)
  }
}
