/// The values of a row, each with its column's name, on their own.
public struct Record: Hashable, Sendable, RandomAccessCollection {
  /// What changes a value; what it gives becomes the new one.
  public typealias Function = (PGValue) throws -> PGValue

  /// The columns' names, in order.
  public let columnNames: [String]
  /// The values, in the order of the columns.
  public let values: [PGValue]

  /// Always 0.
  public var startIndex: Int { 0 }
  /// The number of columns.
  public var endIndex: Int { values.count }

  /// A column's value.
  public subscript(position: Int) -> PGValue { values[position] }

  /// The value of the first column named `name`.
  ///
  /// - Throws: ``PGError`` `--CIO` if there is none.
  public subscript(_ name: String) -> PGValue {
    get throws(PGError) { values[try required(name)] }
  }

  /// The position of the first column named `name`.
  public func index(of name: String) -> Int? { columnNames.firstIndex(of: name) }

  /// A record of the same columns, with values changed by position; `nil` leaves one as it is.
  ///
  /// - Throws: ``PGError`` `--CIO` if there are more functions than columns, and what they throw.
  public func transform(_ functions: [Function?]) throws -> Record {
    guard functions.count <= count else {
      throw PGError.column("there is no column \(count) to transform in a row of \(count)")
    }
    var values = values
    for (index, function) in functions.enumerated() {
      if let function { values[index] = try function(values[index]) }
    }
    return Record(columnNames: columnNames, values: values)
  }

  /// A record of the same columns, with values changed by name.
  ///
  /// - Throws: ``PGError`` `--CIO` if there is no column of a name, and what the functions throw.
  public func transform(_ functions: [String: Function]) throws -> Record {
    var values = values
    for (name, function) in functions {
      let index = try required(name)
      values[index] = try function(values[index])
    }
    return Record(columnNames: columnNames, values: values)
  }

  private func required(_ name: String) throws(PGError) -> Int {
    guard let index = index(of: name) else {
      throw .column("there is no column named \"\(name)\" in the row")
    }
    return index
  }
}
