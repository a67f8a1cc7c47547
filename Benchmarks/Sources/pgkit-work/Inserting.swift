import PGKit

/// Rows of (int4, text, timestamptz) into a table, which compare.py has emptied.
struct Inserting {
  let count: Int
  private static let moment = PGTimestampTZ(microsecondsSince2000: 757_382_400_000_000)

  private func values(_ number: Int) -> [(any PGEncodable)?] {
    [number, "row number \(number)", Self.moment]
  }

  func runPipelined() throws {
    let connection = try PGKit.open()
    let start = ContinuousClock.now
    let insert = try connection.prepare("INSERT INTO ins VALUES ($1, $2, $3)")
    let stored = try connection.withTransaction { _ in
      try insert.loadRows((0..<count).lazy.map(values), batchSize: 1000)
    }
    report(stored, since: start)
    try require(stored == count, "\(stored) rows of \(count)")
  }

  func runCopy() throws {
    let connection = try PGKit.open()
    let start = ContinuousClock.now
    let rows = try connection.copyRows(into: CopyTable(["ins"]))
    for number in 0..<count { try rows.write(values(number)) }
    let stored = try rows.finish().rowCount ?? 0
    report(stored, since: start)
    try require(stored == count, "\(stored) rows of \(count)")
  }
}
