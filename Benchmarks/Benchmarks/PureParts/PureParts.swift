import Benchmark

@testable import PGKit

// What needs no server: messages, values, rows, statements and JSON. `scripts/bench-parts` runs it.

/// As many as a buffer of the session holds after a good read.
private let rowCount = 1000

let benchmarks: @Sendable () -> Void = {
  Benchmark.defaultConfiguration = .init(
    metrics: [.wallClock, .instructions, .throughput], maxDuration: .seconds(2), maxIterations: 5000
  )
  messages()
  values()
  rows()
  statements()
  json()
}

private func messages() {
  let stream = SampleRows.messages(rowCount)
  Benchmark("wire: 1000 DataRows to a batch of rows") { benchmark in
    for _ in benchmark.scaledIterations {
      let buffer = ReceiveBuffer(capacity: stream.count)
      buffer.free.copyBytes(from: stream)
      buffer.received(stream.count)
      let found = buffer.scanMessages(
        tag: BackendTag.dataRow.rawValue, headerSize: Frame.headerSize, bodyLimit: 1 << 30)
      blackHole(
        buffer.locateFields(
          in: found, headerSize: Frame.headerSize, columns: SampleRows.columns.count))
    }
  }
  Benchmark("wire: 1000 executions of a prepared statement, encoded") { benchmark in
    let types = [PGType(.int4), PGType(.text), PGType(.timestamptz)]
    let moment = PGTimestampTZ(microsecondsSince2000: 757_382_400_000_000)
    for _ in benchmark.scaledIterations {
      for number in 0..<rowCount {
        blackHole(try Parameters.bind([number, "row number", moment], to: types))
      }
    }
  }
}

private func values() {
  let numeric = PGNumeric("123456789.1234") ?? 0
  let moment = PGTimestampTZ(microsecondsSince2000: 757_382_400_000_000)
  let samples: [(String, any PGEncodable, TypeOID)] = [
    ("int8", Int.max, .int8), ("float8", 3.25, .float8), ("text", "twenty letters in all", .text),
    ("numeric", numeric, .numeric), ("timestamptz", moment, .timestamptz),
    ("int4[]", Array(1...20), .int4Array),
  ]
  for (name, value, oid) in samples {
    let type = PGType(oid)
    Benchmark("codec: 1000 of \(name), encoded") { benchmark in
      for _ in benchmark.scaledIterations {
        var writer = ByteWriter()
        for _ in 0..<rowCount { try value.encodeBinary(as: type, into: &writer) }
        blackHole(writer.count)
      }
    }
  }
}

private func rows() {
  func reading(_ title: String, _ body: @escaping (Row) throws -> Void) {
    Benchmark("rows: 1000 times \(title)") { benchmark in
      let batch = try SampleRows.batch(rowCount)
      benchmark.startMeasurement()
      for _ in benchmark.scaledIterations {
        for row in batch { try body(row) }
      }
    }
  }
  reading("int4 as Int") { blackHole(try $0[0, as: Int.self]) }
  reading("int8 as Int") { blackHole(try $0[1, as: Int.self]) }
  reading("text as String") { blackHole(try $0[2, as: String.self]) }
  reading("timestamptz as PGTimestampTZ") { blackHole(try $0[3, as: PGTimestampTZ.self]) }
  reading("float8 as Double") { blackHole(try $0[4, as: Double.self]) }
  reading("numeric as PGNumeric") { blackHole(try $0[5, as: PGNumeric.self]) }
  reading("a column by its name") { blackHole(try $0["f", as: PGNumeric.self]) }
  reading("a whole row as PGValues") { blackHole(try $0.values()) }
}

private func statements() {
  let statement = "INSERT INTO t VALUES ('it''s', $1, $$a;b$$, \"x;y\"); -- a; comment\n"
  let script = String(repeating: statement, count: 100)
  Benchmark("scanning: a script of 100 statements, split") { benchmark in
    for _ in benchmark.scaledIterations { blackHole(SQL.split(script)) }
  }
  Benchmark("scanning: the highest parameter of 100 statements") { benchmark in
    for _ in benchmark.scaledIterations {
      for _ in 0..<100 { blackHole(SQL.highestParameter(in: statement)) }
    }
  }
}

private func json() {
  Benchmark("JSON: 1000 rows of six values, written") { benchmark in
    let values = try SampleRows.batch(1)[0].values()
    benchmark.startMeasurement()
    for _ in benchmark.scaledIterations {
      var output: [UInt8] = []
      for _ in 0..<rowCount {
        for value in values { try value.appendJSON(to: &output) }
      }
      blackHole(output.count)
    }
  }
}
