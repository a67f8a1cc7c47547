/// Turns Swift values into the parameters of a Bind.
enum Parameters {
  /// Encodes `values` for parameters of `types`.
  ///
  /// - Throws: ``PGError`` `--PIO` naming the parameter, before anything is sent: if there are more or
  ///   fewer values than parameters, or one does not fit. The value itself is never part of it.
  static func bind(
    _ values: [(any PGEncodable)?], to types: [PGType]
  ) throws(PGError) -> BoundParameters {
    var bound = BoundParameters()
    try bind(values, to: types, as: &bound)
    return bound
  }

  /// Encodes `values` for parameters of `types` behind those that are there.
  static func bind(
    _ values: [(any PGEncodable)?], to types: [PGType], as bound: inout BoundParameters
  ) throws(PGError) {
    guard values.count == types.count else {
      throw .parameter(
        "the statement has \(types.count) parameter\(types.count == 1 ? "" : "s"), "
          + "but \(values.count) \(values.count == 1 ? "value was" : "values were") given")
    }
    try bind(values, as: &bound) { types[$0] }
  }

  /// Encodes `values` for parameters whose types the server will infer.
  static func bindUntyped(_ values: [(any PGEncodable)?]) throws(PGError) -> BoundParameters {
    guard values.count <= BoundParameters.limit else {
      throw .parameter(
        "a statement has at most \(BoundParameters.limit) parameters, "
          + "but \(values.count) values were given")
    }
    var bound = BoundParameters()
    try bind(values, as: &bound) { _ in PGType(.unspecified) }
    return bound
  }

  @inline(__always)
  private static func bind(
    _ values: [(any PGEncodable)?], as bound: inout BoundParameters, type: (Int) -> PGType
  ) throws(PGError) {
    for index in values.indices {
      guard let value = values[index], !value.isNull else {
        bound.appendNull()
        continue
      }
      do throws(PGError) { try append(value, as: type(index), to: &bound) } catch {
        throw error.inside(.parameter(index + 1, type(index), value))
      }
    }
  }

  private static func append(
    _ value: some PGEncodable, as declared: PGType, to bound: inout BoundParameters
  ) throws(PGError) {
    let number = bound.count + 1
    let type = declared.written
    guard let format = value.encodingFormat(for: type) else {
      throw .parameter("parameter $\(number) is \(declared.name); \(value.givenType) is not")
    }
    try bound.append(format: format.rawValue) { (writer: inout ByteWriter) throws(PGError) in
      switch format {
      case .binary: try value.encodeBinary(as: type, into: &writer)
      case .text: try value.encodeText(as: type, into: &writer)
      }
    }
  }
}

extension PGEncodable {
  /// What errors call the value: a dynamic one by what is inside.
  fileprivate var givenType: Any.Type {
    (self as? PGValue)?.swiftType ?? Swift.type(of: self)
  }
}

extension ErrorOrigin.Creator {
  /// A parameter, by its number, its type where that is known, and the Swift type of the value.
  fileprivate static func parameter(
    _ number: Int, _ type: PGType, _ value: any PGEncodable
  ) -> ErrorOrigin.Creator {
    let place = type.oid == .unspecified ? "" : " of type \(type.name)"
    return ErrorOrigin.Creator("PARAMETER", "$\(number)\(place), given \(value.givenType)")
  }
}
