import PGErrorCodes
import PGKit
import PGTestCluster
import Testing

// Also: the hundred lines of generate_series, and sample_copy, in LoadingTests ("COPY Statements: rows come
// out as bytes, and go in as bytes"); other actions during a COPY in either direction, in CopyTests.

extension Documents {
  @Suite("COPY Statements")
  struct CopyStatementsTests {
    private let src: Connection
    private let dst: Connection

    init() throws {
      src = try TestServer.shared.connect()
      dst = try src.clone()
    }

    @Test("COPY Statements: chunks move data without reading it all into memory")
    func chunks() throws {
      let ps = try src.prepare("COPY (SELECT i FROM generate_series(0, 99999) AS g(i)) TO STDOUT")
      let stream = try ps.copyOut()
      var (lines, chunks) = (0, 0)
      while let rowset = try stream.next() {
        chunks += 1
        rowset.forEach { line in
          #expect(String(decoding: line, as: UTF8.self) == "\(lines)\n")
          lines += 1
        }
      }
      #expect(lines == 100_000 && chunks > 1 && stream.tag?.rowCount == 100_000)
    }

    @Test("COPY Statements: each load_rows is a single COPY")
    func singleCopy() throws {
      try src.execute("CREATE TEMP TABLE sample_copy (sc_number int PRIMARY KEY, sc_text text)")
      let copyin = try src.prepare("COPY sample_copy FROM STDIN")
      #expect(try copyin.loadLines([Array("123\tone twenty three\n".utf8)]) == 1)
      // All of the second is refused, and the first stays.
      #expect(throws: PGError.self) {
        try copyin.loadLines([Array("350\ttree fitty\n".utf8), Array("123\tagain\n".utf8)])
      }
      #expect(
        try src.query.column("SELECT sc_number FROM sample_copy", as: Int.self).collect() == [123])
    }

    @Test(
      "COPY Statements: from one connection to another, in either format", arguments: [true, false])
    func across(isBinary: Bool) throws {
      for db in [src, dst] { try db.execute("CREATE TEMP TABLE atable(i int, t text)") }
      try src.execute(
        "INSERT INTO atable SELECT i, repeat('x', i % 50) FROM generate_series(1, 9999) AS i")
      let format = isBinary ? " (FORMAT binary)" : ""
      let copyout = try src.prepare("COPY atable TO STDOUT" + format)
      let copyin = try dst.prepare("COPY atable FROM STDIN" + format)
      #expect(try copyin.loadChunks(copyout.copyOut()) == 9999)
      let sum = "SELECT sum(i * length(t)) FROM atable"
      #expect(try src.query.first(sum, as: Int.self) == dst.query.first(sum, as: Int.self))
    }

    @Test("COPY Statements: data is in the client's encoding, which nobody changes")
    func encoding() throws {
      try src.execute("SET client_encoding = 'LATIN1'; CREATE TEMP TABLE t(t text)")
      try src.prepare("COPY t FROM STDIN").loadLines([[0xE9, 0x0A]])
      #expect(try src.query.first("SELECT ascii(t) FROM t", as: Int.self) == 0xE9)
      var bytes: [UInt8] = []
      let stream = try src.prepare("COPY t TO STDOUT").copyOut()
      while let chunk = try stream.next() { chunk.forEach { bytes += $0 } }
      #expect(bytes == [0xE9, 0x0A])
    }

    // There a COPY is called as any statement; here its bytes are no rows, and the error names the method
    // that gives them.
    @Test("COPY Statements: a COPY is not run as if it gave rows")
    func notRows() throws {
      let ps = try src.prepare("COPY (SELECT 1) TO STDOUT")
      let uses: [() throws -> Void] = [
        { try ps() }, { _ = try ps.rows() }, { _ = try ps.chunks() }, { _ = try ps.first() },
        { _ = try ps.column(as: String.self) }, { try ps.loadRows([[]]) },
        { try ps.loadChunks([[[]]]) }, { try ps.loadChunks(src.query.chunks("SELECT")) },
      ]
      for use in uses {
        let error = #expect(throws: PGError.self) { try use() }
        #expect(error?.code == .operationError && error?.hint?.contains("copyOut") == true)
      }
      try src.execute("CREATE TEMP TABLE t(t text)")
      let error = #expect(throws: PGError.self) {
        try src.prepare("COPY t FROM STDIN").loadRows([["a row"]])
      }
      #expect(error?.code == .operationError && error?.hint?.contains("loadLines") == true)
      #expect(try src.query.first("SELECT 1", as: Int.self) == 1)
    }
  }
}
