// Literals, so that a list of parameters can be written down: [1, "two", 3.5, true, nil].

extension PGValue: ExpressibleByNilLiteral {
  /// NULL.
  public init(nilLiteral: ()) { self = .null }
}

extension PGValue: ExpressibleByBooleanLiteral {
  /// A bool.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension PGValue: ExpressibleByIntegerLiteral {
  /// An int8, which goes into any number that holds it.
  public init(integerLiteral value: Int64) { self = .int64(value) }
}

extension PGValue: ExpressibleByFloatLiteral {
  /// A float8.
  public init(floatLiteral value: Double) { self = .double(value) }
}

extension PGValue: ExpressibleByStringLiteral {
  /// A text.
  public init(stringLiteral value: String) { self = .string(value) }
}
