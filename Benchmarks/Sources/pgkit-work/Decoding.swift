import PGKit

/// Rows of six types, every column of each decoded.
struct Decoding {
  let query: String
  /// How many rows must come.
  let count: Int

  /// What the other drivers' programs read.
  static let table = Decoding(query: "SELECT a, b, c, d, e, f FROM million", count: 1_000_000)

  /// As many rows as wanted, in thousands, without a table.
  static func generated(_ count: Int) -> Decoding {
    Decoding(
      query: """
        SELECT i::int4, j::int8, 'row ' || i, timestamptz '2020-01-01' + i * interval '1 s', j::float8,
          i::numeric FROM generate_series(1, \(count / 1000)) AS j, generate_series(1, 1000) AS i
        """, count: count)
  }

  /// The length of a text, for which no String is made.
  private struct TextLength: PGDecodable {
    let bytes: Int
    static func accepts(_ type: PGType, _ format: PGFormat) -> Bool { type.oid == .text }
    static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> TextLength? {
      type == .text ? TextLength(bytes: reader.remaining) : nil
    }
    private init(bytes: Int) { self.bytes = bytes }
    init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
      bytes = reader.unread.count
      _ = try? reader.readSlice(bytes)
    }
    init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
      try self.init(binary: &reader, as: type)
    }
  }

  /// A numeric of two decimals as a number of hundredths: what the C programs make of one.
  ///
  /// It is made of the groups of four digits, and unlike theirs it looks whether they are ones.
  private struct Hundredths: PGDecodable {
    let count: Int
    static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
      type.oid == .numeric && format == .binary
    }

    static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> Hundredths? {
      guard type == .numeric else { return nil }
      var reader = reader
      return try? Hundredths(&reader)
    }

    private init?(_ reader: inout ByteReader) throws(OutOfBytes) {
      // Four numbers of sixteen bits: how many groups, the weight of the first, the sign, the scale.
      let head: UInt64 = try reader.readInteger()
      let sign = head >> 16 & 0xFFFF
      guard sign == 0 || sign == 0x4000, reader.remaining == Int(head >> 48) * 2 else { return nil }
      var weight = Int16(truncatingIfNeeded: head >> 32)
      var sum = 0
      while !reader.isAtEnd {
        let group: UInt16 = try reader.readInteger()
        // What is larger might not fit, and what is smaller has no hundredths.
        guard group < 10000, (-1...3).contains(weight) else { return nil }
        if weight >= 0 {
          var worth = 100
          for _ in 0..<weight { worth &*= 10000 }
          sum &+= Int(group) &* worth
        } else {
          guard group % 100 == 0 else { return nil }
          sum &+= Int(group / 100)
        }
        weight &-= 1
      }
      count = sign == 0 ? sum : -sum
    }

    init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
      let found = try? Hundredths(&reader)
      guard let found, reader.isAtEnd else {
        throw .malformedValue("not a number of hundredths")
      }
      self = found
    }
    init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
      throw .malformedValue("a numeric in text, which nobody has asked for")
    }
  }

  /// A numeric as the value that PGKit has for one, of any size, and the hundredths for the sum.
  private struct Amount: PGDecodable {
    let value: PGNumeric
    let hundredths: Hundredths
    static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
      Hundredths.accepts(type, format)
    }
    static func decodeBuiltin(_ reader: ByteReader, as type: TypeOID) -> Amount? {
      guard let value = PGNumeric.decodeBuiltin(reader, as: type),
        let hundredths = Hundredths.decodeBuiltin(reader, as: type)
      else { return nil }
      return Amount(value: value, hundredths: hundredths)
    }
    private init(value: PGNumeric, hundredths: Hundredths) {
      self.value = value
      self.hundredths = hundredths
    }
    init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
      var again = reader
      value = try PGNumeric(binary: &reader, as: type)
      hundredths = try Hundredths(binary: &again, as: type)
    }
    init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
      hundredths = try Hundredths(text: &reader, as: type)
      value = .nan
    }
  }

  /// What was read, so that nothing can be left out.
  ///
  /// Of a numeric the C programs make hundredths, and no value; the drivers in Python make a Decimal, and no
  /// sum. With Strings we make both the value and the sum, without them what the C programs make.
  private struct Sums {
    var rows = 0
    var bytes = 0
    var integers = 0
    var doubles = 0.0
    var hundredths = 0

    @inline(__always)
    mutating func add(_ row: Row, _ length: Int, _ numeric: Hundredths) throws {
      rows += 1
      bytes += length
      integers &+= try row[0, as: Int.self] &+ row[1, as: Int.self]
      integers &+= try Int(row[3, as: PGTimestampTZ.self].microsecondsSince2000 / 1_000_000)
      doubles += try row[4, as: Double.self]
      hundredths &+= numeric.count
    }

    @inline(__always)
    mutating func addWithString(_ row: Row) throws {
      let amount = try row[5, as: Amount.self]
      guard amount.value.isFinite else {
        throw WrongResult(description: "a numeric is not finite")
      }
      try add(row, row[2, as: String.self].utf8.count, amount.hundredths)
    }

    @inline(__always)
    mutating func addInPlace(_ row: Row) throws {
      try add(row, row[2, as: TextLength.self].bytes, row[5, as: Hundredths.self])
    }
  }

  func run(withStrings: Bool) throws {
    let statement = try PGKit.open().prepare(query)
    let start = ContinuousClock.now
    let chunks = try statement.chunks()
    var sums = Sums()
    while let batch = try chunks.next() {
      for row in batch {
        if withStrings { try sums.addWithString(row) } else { try sums.addInPlace(row) }
      }
    }
    try finish(sums, since: start)
  }

  func runAsync() async throws {
    let connection = try await AsyncConnection.open()
    let query = query
    let (sums, start) = try await connection.withConnection { connection in
      let statement = try await connection.prepare(query)
      let start = ContinuousClock.now
      var sums = Sums()
      for try await row in try await statement.rows() {
        try sums.addWithString(row)
      }
      return (sums, start)
    }
    try finish(sums, since: start)
    try await connection.close()
  }

  private func finish(_ sums: Sums, since start: ContinuousClock.Instant) throws {
    report(sums.rows, since: start)
    // compare.py asks the server for the same.
    say(
      "WORK chars=\(sums.bytes) integers=\(sums.integers) doubles=\(sums.doubles)"
        + " hundredths=\(sums.hundredths)")
    try require(sums.rows == count, "\(sums.rows) rows of \(count)")
  }
}
