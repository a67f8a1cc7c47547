internal import PGJSONText

/// How values look as JSON, where JSON leaves a choice.
public struct PGJSONOptions: Sendable {
  /// The looks of numbers.
  public enum Numbers: Sendable {
    /// All their digits, as JSON numbers.
    case exact
    /// All their digits, as JSON texts, for readers that have only floating-point numbers.
    case texts
    /// Rounded to float8, as JSON numbers.
    case doubles
  }

  /// The looks of bytes.
  public enum Bytes: Sendable {
    /// `\x0123…`, as the server prints them.
    case hexadecimal
    /// Base64 (RFC 4648).
    case base64
  }

  /// How numbers look.
  public var numbers: Numbers
  /// How bytes look.
  public var bytes: Bytes

  /// Makes options.
  public init(numbers: Numbers = .exact, bytes: Bytes = .hexadecimal) {
    (self.numbers, self.bytes) = (numbers, bytes)
  }
}

// The only place where it is known what JSON a value is.
//
// Numbers are JSON numbers with all their digits; NaN and the infinities, which JSON does not have, are
// texts. Arrays are arrays, however many dimensions they have; composites are objects, or arrays where
// their attributes have no names; hstore is an object; a range is an object of its ends; json is itself.
// Everything else is its text form, in quotes.

extension PGValue {
  /// Appends the value as JSON (RFC 8259), on one line.
  ///
  /// - Throws: ``PGError`` of a program's own value that refuses its text form.
  public func appendJSON(
    to output: inout [UInt8], _ options: PGJSONOptions = PGJSONOptions()
  ) throws(PGError) {
    switch self {
    case .null: output += "null".utf8
    case .bool(let value): output += (value ? "true" : "false").utf8
    case .int16, .int32, .int64, .uint32, .uint64, .float, .double, .numeric:
      var text = Array(description.utf8)
      try Self.appendNumber(&text, to: &output, options)
    case .json(let value): Self.appendDocument(value.text, to: &output)
    case .bytes(let value) where options.bytes == .base64:
      Self.appendText(Base64.encode(value), to: &output)
    case .array(let array): try array.appendJSON(to: &output, options)
    case .vector(let numbers):
      try Self.appendList(numbers.map { .float($0) }, to: &output, options)
    case .record(let record): try record.appendJSON(to: &output, options)
    case .hstore(let pairs):
      let items = pairs.sorted { $0.key < $1.key }.map {
        ($0.key, $0.value.map { PGValue.string($0) } ?? .null)
      }
      try Self.appendObject(items, to: &output, options)
    case .range(let range): try range.appendJSON(to: &output, options)
    case .multirange(let value):
      try Self.appendList(value.ranges.map { .range($0) }, to: &output, options)
    case .custom(let own):
      var text = ByteWriter()
      try own.value.encodeText(as: .shown, into: &text)
      Self.appendText(String(decoding: text.bytes, as: UTF8.self), to: &output)
    default: Self.appendText(description, to: &output)
    }
  }

  /// The value as JSON (RFC 8259), on one line.
  ///
  /// - Throws: ``PGError`` of a program's own value that refuses its text form.
  public func json(_ options: PGJSONOptions = PGJSONOptions()) throws(PGError) -> String {
    var output: [UInt8] = []
    try appendJSON(to: &output, options)
    return String(decoding: output, as: UTF8.self)
  }

  /// Appends a column's value as JSON; what needs no decoding is not decoded.
  ///
  /// - Throws: ``PGError`` `--CIO` if the bytes are not a value of the type.
  public static func appendJSON(
    of bytes: UnsafeRawBufferPointer, _ type: PGType, _ format: PGFormat,
    to output: inout [UInt8], _ options: PGJSONOptions = PGJSONOptions()
  ) throws(PGError) {
    if format == .text {
      switch type.base {
      case .int2, .int4, .int8, .oid, .xid, .cid, .xid8, .float4, .float8, .numeric:
        if options.numbers == .exact, JSONText.isNumber(bytes) {
          return output.append(contentsOf: bytes)
        }
      case .bool where bytes.elementsEqual("t".utf8): return output += "true".utf8
      case .bool where bytes.elementsEqual("f".utf8): return output += "false".utf8
      case .json, .jsonb:
        return try utf8(type) { () throws(JSONText.NotUTF8) in
          try JSONText.appendDocument(bytes, to: &output)
        }
      case .bytea
      where options.bytes == .hexadecimal
        && bytes.starts(with: [ASCII.backslash, UInt8(ascii: "x")]),
        .text, .varchar, .bpchar, .name, .uuid,
        .date,
        .timestamp, .timestamptz, .time, .timetz, .interval:
        if type.definition == nil {
          return try utf8(type) { () throws(JSONText.NotUTF8) in
            try JSONText.append(bytes, to: &output)
          }
        }
      default: break
      }
    }
    var reader = ByteReader(bytes)
    let value = try PGValue(&reader, type: type.values, format: format)
    try value.appendJSON(to: &output, options)
  }

  private static func utf8(
    _ type: PGType, _ body: () throws(JSONText.NotUTF8) -> Void
  ) throws(PGError) {
    do throws(JSONText.NotUTF8) { try body() } catch {
      throw PGError(
        code: .characterNotInRepertoire,
        message: "a value of SQL type \(type.name) is not valid UTF-8", fault: .server,
        hint: "if the database's encoding is SQL_ASCII, convert the value in the query")
    }
  }

  fileprivate static func appendNumber(
    _ text: inout [UInt8], to output: inout [UInt8], _ options: PGJSONOptions
  ) throws(PGError) {
    let isNumber = text.withUnsafeBytes { JSONText.isNumber($0) }
    switch options.numbers {
    case .exact where isNumber: output += text
    case .doubles where isNumber:
      // A number's own text is one for Double, too; beyond its range it is infinite, and no number.
      let value = PGValue.double(Double(String(decoding: text, as: UTF8.self)) ?? .nan)
      try value.appendJSON(to: &output)
    case .exact, .texts, .doubles: appendText(String(decoding: text, as: UTF8.self), to: &output)
    }
  }

  fileprivate static func appendText(_ text: String, to output: inout [UInt8]) {
    JSONText.append(text, to: &output)
  }

  private static func appendDocument(_ text: String, to output: inout [UInt8]) {
    var text = text
    // A String is UTF-8, so nothing is thrown.
    text.withUTF8 { try? JSONText.appendDocument(UnsafeRawBufferPointer($0), to: &output) }
  }

  fileprivate static func appendList(
    _ values: [PGValue], to output: inout [UInt8], _ options: PGJSONOptions
  ) throws(PGError) {
    output.append(UInt8(ascii: "["))
    for (index, value) in values.enumerated() {
      if index > 0 { output.append(ASCII.comma) }
      try value.appendJSON(to: &output, options)
    }
    output.append(UInt8(ascii: "]"))
  }

  fileprivate static func appendObject(
    _ items: [(String, PGValue)], to output: inout [UInt8], _ options: PGJSONOptions
  ) throws(PGError) {
    output.append(UInt8(ascii: "{"))
    for (index, item) in items.enumerated() {
      if index > 0 { output.append(ASCII.comma) }
      appendText(item.0, to: &output)
      output.append(UInt8(ascii: ":"))
      try item.1.appendJSON(to: &output, options)
    }
    output.append(UInt8(ascii: "}"))
  }
}

extension PGArray where Element == PGValue {
  fileprivate func appendJSON(
    to output: inout [UInt8], _ options: PGJSONOptions
  ) throws(PGError) {
    if elements.isEmpty { return output += "[]".utf8 }
    let runs = zip(shape.strides, dimensions).map { $0 * $1.count }
    for (index, element) in elements.enumerated() {
      if index > 0 { output.append(ASCII.comma) }
      for run in runs where index % run == 0 { output.append(UInt8(ascii: "[")) }
      try (element ?? .null).appendJSON(to: &output, options)
      for run in runs where (index + 1) % run == 0 { output.append(UInt8(ascii: "]")) }
    }
  }
}

extension PGRecord {
  fileprivate func appendJSON(
    to output: inout [UInt8], _ options: PGJSONOptions
  ) throws(PGError) {
    guard columnNames.count == count else {
      return try PGValue.appendList(values, to: &output, options)
    }
    try PGValue.appendObject(Array(zip(columnNames, values)), to: &output, options)
  }
}

extension PGRange where Bound == PGValue {
  fileprivate func appendJSON(
    to output: inout [UInt8], _ options: PGJSONOptions
  ) throws(PGError) {
    if isEmpty { return try PGValue.appendObject([("empty", .bool(true))], to: &output, options) }
    try PGValue.appendObject(
      [
        ("lower", lower ?? .null), ("upper", upper ?? .null),
        ("lower_inclusive", .bool(includesLower)), ("upper_inclusive", .bool(includesUpper)),
      ], to: &output, options)
  }
}
