import PGKit

/// A prepared statement, executed over and over; each answer is the sum's next part.
struct RoundTrips {
  let count: Int
  private static let query = "SELECT $1::int"

  func run() throws {
    let statement = try PGKit.open().prepare(Self.query)
    let start = ContinuousClock.now
    var sum = 0
    for number in 0..<count { sum += try statement.first(number, as: Int.self) ?? 0 }
    report(count, since: start)
    try check(sum)
  }

  /// As the asynchronous one does it: each answer is a row.
  func runByRow() throws {
    let statement = try PGKit.open().prepare(Self.query)
    let start = ContinuousClock.now
    var sum = 0
    for number in 0..<count { sum += try statement(number)[0][0, as: Int.self] }
    report(count, since: start)
    try check(sum)
  }

  func runAsync() async throws {
    let connection = try await AsyncConnection.open()
    let count = count
    let sum = try await connection.withConnection { connection in
      let statement = try await connection.prepare(Self.query)
      let start = ContinuousClock.now
      var sum = 0
      for number in 0..<count { sum += try await statement(number)[0][0, as: Int.self] }
      report(count, since: start)
      return sum
    }
    try check(sum)
    try await connection.close()
  }

  /// A hundred before each answer.
  func runPipelined() throws {
    let statement = try PGKit.open().prepare(Self.query)
    let start = ContinuousClock.now
    let numbers: [[(any PGEncodable)?]] = (0..<count).map { [$0] }
    let rows = try statement.loadRows(numbers, batchSize: 100)
    report(count, since: start)
    try require(rows == count, "\(rows) rows of \(count)")
  }

  private func check(_ sum: Int) throws {
    try require(sum == count * (count - 1) / 2, "the sum is \(sum)")
  }
}
