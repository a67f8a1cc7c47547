import Glibc
import PGKit

/// Two thousand rows of so many columns.
struct Columns {
  let count: Int

  func run() throws {
    let list = (1...max(count, 1)).map { "i + \($0)" }.joined(separator: ", ")
    let statement = try PGKit.open().prepare(
      "SELECT \(list) FROM generate_series(1, 2000) AS i")
    let start = ContinuousClock.now
    var (sum, values) = (0, 0)
    let chunks = try statement.chunks()
    while let batch = try chunks.next() {
      for row in batch {
        for column in 0..<row.count {
          sum &+= try row[column, as: Int.self]
          values += 1
        }
      }
    }
    report(values, since: start)
    // Each value is its row's number and its column's.
    let right = count * (2000 * 2001 / 2) + 2000 * (count * (count + 1) / 2)
    try require(values == 2000 * count && sum == right, "\(values) values whose sum is \(sum)")
  }
}

/// Connections that listen and do nothing: what each keeps in memory.
struct Idle {
  let count: Int

  func run() throws {
    var connections: [Connection] = []
    // What the first one brings with it belongs to all.
    connections.append(try listening())
    let (before, start) = (try residentBytes(), ContinuousClock.now)
    for _ in 0..<count { connections.append(try listening()) }
    let each = (try residentBytes() - before) / max(count, 1)
    say("WORK kib_each=\(Double(each) / 1024)")
    report(count, since: start)
    // Whoever hears nothing has not listened.
    try connections[0].notify("idle", payload: "to all")
    var heard = 0
    for connection in connections {
      let events = try connection.notifications(until: .after(.seconds(10)))
      if events.map(\.payload) == ["to all"] { heard += 1 }
    }
    say("WORK heard=\(heard)")
    for connection in connections { connection.close() }
  }

  private func listening() throws -> Connection {
    let connection = try PGKit.open()
    try connection.listen("idle")
    return connection
  }

  private func residentBytes() throws -> Int {
    guard let file = fopen("/proc/self/statm", "r") else {
      throw WrongResult(description: "there is no /proc/self/statm")
    }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 200)
    guard fgets(&line, 200, file) != nil else {
      throw WrongResult(description: "/proc/self/statm is empty")
    }
    let words = String(decoding: line.map(UInt8.init(bitPattern:)), as: UTF8.self).split(
      separator: " ")
    guard words.count > 1, let pages = Int(words[1]) else {
      throw WrongResult(description: "/proc/self/statm has no second number")
    }
    return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
