import PGErrorCodes

/// The way into a table for rows of Swift values, in the binary format of COPY: the fastest way in.
///
///     let cities = try db.copyRows(into: CopyTable(["city"], columns: ["name", "founded"]))
///     try cities.write("Bergen", 1070)
///     try cities.write("Oslo", nil)
///     try cities.finish()
///
/// Finish it, or the server rolls the copying back. The manual: COPY, "Binary Format".
public final class CopyRowStream {
  /// What is gathered before it is sent: little at first, so that the server works from the first rows on;
  /// then more, because it costs something each time.
  private static let flushSizes = (first: 8 * 1024, most: 64 * 1024)
  /// The most columns that the format can count; a table has fewer.
  private static let columnLimit = Int(Int16.max)

  /// The table's columns in the order of the values.
  public var columns: [Column] { encoder.columns }
  private let stream: CopyInStream
  private var encoder: CopyRowEncoder
  private var flushSize = CopyRowStream.flushSizes.first
  /// How many rows were written, sent or not.
  public private(set) var rowCount = 0

  fileprivate init(_ stream: CopyInStream, _ columns: [Column]) {
    self.stream = stream
    encoder = CopyRowEncoder(columns)
  }

  /// Adds a row.
  ///
  /// - Parameter values: A value for each of ``columns``; `nil` is NULL.
  /// - Throws: ``PGError``: `--PIO` naming row and column whose value does not fit: that row is not
  ///   added, and others may follow; or the server's, which may be about rows before.
  public func write(_ values: (any PGEncodable)?...) throws(PGError) { try write(values) }

  /// Adds a row.
  ///
  /// - Throws: ``PGError``, as `write(_:)` does.
  public func write(_ values: [(any PGEncodable)?]) throws(PGError) {
    do throws(PGError) { try encoder.append(values) } catch {
      throw error.inside(.init("ROW", "\(rowCount)"))
    }
    rowCount += 1
    if encoder.byteCount >= flushSize { try flush() }
  }

  /// Says that the rows are complete, and waits for the server's word on them.
  ///
  /// - Returns: What the statement says of itself: `COPY 3`.
  /// - Throws: ``PGError``: the server's; then no row was stored.
  @discardableResult
  public func finish() throws(PGError) -> CommandTag {
    encoder.end()
    try flush()
    return try stream.finish()
  }

  /// Ends the rows in failure: the server forgets them and keeps `reason` in its log.
  ///
  /// - Throws: ``PGError``, as ``CopyInStream/fail(_:)``.
  public func fail(_ reason: String) throws(PGError) {
    encoder.removeAll()
    try stream.fail(reason)
  }

  private func flush() throws(PGError) {
    flushSize = min(flushSize * 2, Self.flushSizes.most)
    if encoder.byteCount > 0 { try encoder.send(to: stream) }
  }

  fileprivate static func check(
    _ columns: [Column], against stream: CopyInStream, of name: String
  ) throws(PGError) {
    guard columns.count == stream.columnCount, columns.count <= columnLimit else {
      try stream.fail("its columns are not known")
      throw .operation(
        "\(name) has \(columns.count) columns, of which COPY fills \(stream.columnCount)",
        hint: "name the columns: generated ones cannot be filled")
    }
  }
}

/// Writes rows in the binary format of COPY.
private struct CopyRowEncoder {
  let columns: [Column]
  private let types: [PGType]
  private var pending = ByteWriter()

  init(_ columns: [Column]) {
    self.columns = columns
    types = columns.map(\.pgType.written)
    begin()
    pending.writeBytes(BinaryCopyFile.header)
  }

  var byteCount: Int { pending.count }

  mutating func removeAll() { pending.removeFirst(pending.count) }

  /// Sends what was written, and begins anew.
  mutating func send(to stream: CopyInStream) throws(PGError) {
    defer { removeAll() }
    try stream.write(message: &pending)
  }

  private mutating func begin() {
    if pending.isEmpty { pending.writeBytes(CopyInStream.headerRoom) }
  }

  mutating func end() {
    begin()
    pending.writeInteger(-1 as Int16)
  }

  /// Writes a row, or nothing of it.
  mutating func append(_ values: [(any PGEncodable)?]) throws(PGError) {
    guard values.count == columns.count else {
      throw .parameter(
        "the copying has \(columns.count) column\(columns.count == 1 ? "" : "s"), "
          + "but \(values.count) \(values.count == 1 ? "value was" : "values were") given")
    }
    begin()
    let start = pending.count
    pending.writeInteger(Int16(truncatingIfNeeded: columns.count))
    for index in values.indices {
      guard let value = values[index], !value.isNull else {
        pending.writeInteger(-1 as Int32)
        continue
      }
      do throws(PGError) { try append(value, as: types[index]) } catch {
        pending.truncate(to: start)
        throw error.inside(columns[index])
      }
    }
    if pending.overflowed {
      pending.truncate(to: start)
      throw .parameter("a row has a value of more than \(ByteWriter.lengthLimit) bytes")
    }
  }

  private mutating func append(_ value: some PGEncodable, as type: PGType) throws(PGError) {
    guard value.encodingFormat(for: type) == .binary else {
      throw .parameter(
        "\(Swift.type(of: value)) has no binary form as \(type.name), which COPY needs; "
          + "give a value of the column's own type")
    }
    try pending.writeLengthPrefixed { (writer: inout ByteWriter) throws(PGError) in
      try value.encodeBinary(as: type, into: &writer)
    }
  }
}

extension Connection {
  /// Begins to fill a table with rows of Swift values, which go there in the binary format of COPY.
  ///
  /// - Parameter table: The table and, unless all of them are filled, the columns.
  /// - Throws: ``PGError``: the server's, if there is no such table or it may not be filled; `--OPE` if it
  ///   has generated columns and none are named.
  ///
  /// On the wire: Parse and Describe, for the types of the columns, and Query.
  public func copyRows(into table: CopyTable) throws(PGError) -> CopyRowStream {
    let name = try table.quotedName()
    let described = try prepare("SELECT \(try table.quotedColumns()) FROM \(name)")
    let columns = described.columns
    try described.close()
    let stream = try copyIn(try table.copyIn(.binary))
    try CopyRowStream.check(columns, against: stream, of: name)
    return CopyRowStream(stream, columns)
  }
}
