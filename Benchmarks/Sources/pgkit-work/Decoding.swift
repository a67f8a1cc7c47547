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

  /// What was read, so that nothing can be left out.
  private struct Sums {
    var rows = 0
    var bytes = 0
    var integers = 0
    var doubles = 0.0

    @inline(__always)
    mutating func add(_ row: Row, _ length: Int) throws {
      rows += 1
      bytes += length
      integers &+= try row[0, as: Int.self] &+ row[1, as: Int.self]
      integers &+= try Int(row[3, as: PGTimestampTZ.self].microsecondsSince2000 / 1_000_000)
      doubles += try row[4, as: Double.self]
      if try row[5, as: PGNumeric.self].isNaN { integers += 1 }
    }
  }

  func run(withStrings: Bool) throws {
    let statement = try PGKit.open().prepare(query)
    let start = ContinuousClock.now
    let chunks = try statement.chunks()
    var sums = Sums()
    while let batch = try chunks.next() {
      for row in batch {
        let length =
          withStrings
          ? try row[2, as: String.self].utf8.count : try row[2, as: TextLength.self].bytes
        try sums.add(row, length)
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
        try sums.add(row, row[2, as: String.self].utf8.count)
      }
      return (sums, start)
    }
    try finish(sums, since: start)
    try await connection.close()
  }

  private func finish(_ sums: Sums, since start: ContinuousClock.Instant) throws {
    report(sums.rows, since: start)
    // compare.py asks the server for the same.
    say("WORK chars=\(sums.bytes) integers=\(sums.integers) doubles=\(sums.doubles)")
    try require(sums.rows == count, "\(sums.rows) rows of \(count)")
  }
}
