import Testing

@testable import PGKit

@Suite("Row boundary") struct RowBoundaryTests {
  /// Rows, with what stands before them.
  struct Sample: Sendable {
    let format: CopyFormat
    var header: [UInt8] = []
    let rows: [[UInt8]]
    var rest: [UInt8] = []
  }

  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static let samples = [
    Sample(
      format: .text, rows: ["1\ta\n", "2\t\\n\\\\\n", "3\tb\\\nc\n", "\n"].map(bytes),
      rest: bytes("4\t")),
    Sample(
      format: .csv,
      rows: ["1,a\n", "2,\"x\ny\"\n", "3,\"a \"\"b\"\"\n\"\n", "\"\"\n", "\n"].map(bytes),
      rest: bytes("\"\n")),
    Sample(
      format: .binary,
      header: bytes("PGCOPY\n") + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0] + [
        0, 0, 0, 2, 0xAA, 0xBB,
      ],
      rows: [
        [0, 2, 0, 0, 0, 1, 0x31, 0xFF, 0xFF, 0xFF, 0xFF], [0, 0], [0, 1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 3, 0xFF, 0xFF, 0x0A],
      ], rest: [0xFF, 0xFF]),
  ]

  @Test("knows every row's end, wherever the data is cut", arguments: samples)
  func cuts(sample: Sample) {
    let data = sample.header + sample.rows.flatMap(\.self) + sample.rest
    var ends: [Int] = []
    for row in sample.rows { ends.append((ends.last ?? sample.header.count) + row.count) }
    for cut in 0...data.count {
      var boundary = RowBoundary(sample.format)
      boundary.take(Array(data[..<cut]))
      let whole = ends.last { $0 <= cut } ?? (cut >= sample.header.count ? sample.header.count : 0)
      #expect(
        boundary.partialRow
          == (cut < sample.header.count ? Array(data[..<cut]) : Array(data[whole..<cut])))
      #expect(boundary.rowCount == ends.count { $0 <= cut })
      boundary.take(Array(data[cut...]))
      #expect(boundary.rowCount == ends.count)
      #expect(boundary.header == sample.header)
    }
    var single = RowBoundary(sample.format)
    for byte in data { single.take([byte]) }
    #expect(single.rowCount == ends.count)
  }

  @Test("an escape of one's own stands before a quote")
  func escape() {
    var boundary = RowBoundary(.csv, quote: UInt8(ascii: "'"), escape: UInt8(ascii: "\\"))
    boundary.take(Self.bytes("'a\\'\nb'\n\"\n"))
    #expect(boundary.rowCount == 2)
  }

  @Test("lengths that cannot be true end nothing and trap nowhere")
  func hostile() {
    let signature = Self.bytes("PGCOPY\n") + [0xFF, 0x0D, 0x0A, 0x00] + [0, 0, 0, 0]
    for tail: [UInt8] in [
      [0x80, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0x7F, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF],
      [0, 0, 0, 0, 0, 1, 0x80, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0x80, 0, 9, 9, 9],
    ] {
      var boundary = RowBoundary(.binary)
      boundary.take(signature + tail + Array(repeating: 0xFF, count: 100))
      #expect(boundary.rowCount <= 60)
    }
  }

  @Test("messages joined in their place are one message of all bodies")
  func joining() {
    let buffer = ReceiveBuffer(capacity: 256)
    let bodies = ["one\n", "", "three, which is longer\n", "4"].map(Self.bytes)
    var wire: [UInt8] = [9, 9]
    for body in bodies { wire += [UInt8(ascii: "d"), 0, 0, 0, UInt8(body.count + 4)] + body }
    wire += [7]
    buffer.free.copyBytes(from: wire)
    buffer.received(wire.count)
    let run = CopyRun(buffer: buffer, frames: 2..<wire.count - 1, count: 4)
    #expect(run.byteCount == bodies.reduce(0) { $0 + $1.count })
    let joined = run.joined()
    #expect(joined.count == 4)
    #expect(joined.byteCount == run.byteCount)
    var heard: [[UInt8]] = []
    joined.forEach { heard.append(Array($0)) }
    #expect(heard == [bodies.flatMap(\.self)])
    #expect(buffer.memory[0] == 9)
    #expect(buffer.memory[wire.count - 1] == 7)
  }
}
