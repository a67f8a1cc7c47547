import PGErrorCodes

// Running a statement many times, with few round trips: loading rows.
//
// Each batch has one Sync. So outside a transaction block each batch is a transaction of its own: when a
// later one fails, those before it stay.
//
// While the server works on a batch the next one is gathered, and sent when the server has said that all is
// well with the one before: nothing is done behind what has failed. Inside a block the server itself sees to
// that, so there the next one is sent before its word on the one before, and it never waits for us. The batch
// under way is an operation as any other: what the caller does with the connection meanwhile comes after it.

extension Statement {
  /// How many executions make a batch where the caller does not say.
  public static let batchSize = 256

  /// Runs the statement once for each row of parameters.
  ///
  /// While the server works on a batch, the rows of the next one are asked for.
  ///
  /// - Parameters:
  ///   - rows: The values of each row, `$1` first.
  ///   - batchSize: How many executions are sent before any answer is read.
  /// - Returns: How many rows were changed altogether.
  /// - Throws: ``PGError``: `--PIO` naming the row whose values do not fit, of whose batch nothing is
  ///   sent; or the server's, and nothing of that batch is stored.
  ///
  /// In py-postgresql: `ps.load_rows(...)`.
  @inlinable
  @discardableResult
  public func loadRows(
    _ rows: some Sequence<[(any PGEncodable)?]>, batchSize: Int = Statement.batchSize
  ) throws(PGError) -> Int {
    let loading = try Loading(self, batchSize: batchSize)
    for row in rows { try loading.append(row) }
    return try loading.finish()
  }

  /// Runs the statement once for each row of parameters, each chunk in one round trip.
  ///
  /// - Returns: How many rows were changed altogether.
  ///
  /// In py-postgresql: `ps.load_chunks(...)`.
  @inlinable
  @discardableResult
  public func loadChunks(
    _ chunks: some Sequence<[[(any PGEncodable)?]]>
  ) throws(PGError) -> Int {
    let loading = try Loading(self)
    for chunk in chunks {
      for row in chunk { try loading.append(row) }
      try loading.send()
    }
    return try loading.finish()
  }

  /// Runs the statement once for each row that another statement gives, perhaps on another connection,
  /// each of its batches in one round trip.
  ///
  /// Values whose type is the parameter's pass as they came.
  ///
  /// - Returns: How many rows were changed altogether.
  ///
  /// In py-postgresql: `dst.load_chunks(src.chunks())`.
  @discardableResult
  public func loadChunks(_ chunks: Chunks) throws(PGError) -> Int {
    let loading = try Loading(self)
    do throws(PGError) {
      while let batch = try chunks.next() {
        for row in batch { try loading.append(row) }
        try loading.send()
      }
    } catch {
      // What went wrong first is told.
      try loading.collect()
      throw error
    }
    return try loading.finish()
  }

  /// Runs the statement, a COPY … FROM STDIN, once, with these lines.
  ///
  /// - Returns: How many rows were stored.
  /// - Throws: ``PGError``: the server's, and nothing is stored; `--OPE` if the statement is no such
  ///   COPY.
  ///
  /// In py-postgresql: `ps.load_rows(...)` of a COPY.
  @discardableResult
  public func loadLines(_ lines: some Sequence<[UInt8]>) throws(PGError) -> Int {
    let stream = try copyIn()
    for line in lines { try stream.write(line) }
    return try stream.finish().rowCount ?? 0
  }

  /// Runs the statement, a COPY … FROM STDIN, once, with the data of a COPY … TO STDOUT on another
  /// connection.
  ///
  /// - Returns: How many rows were stored.
  ///
  /// In py-postgresql: `dst.load_chunks(src.chunks())` of two COPYs.
  @discardableResult
  public func loadChunks(_ source: CopyOutStream) throws(PGError) -> Int {
    let stream = try copyIn()
    do throws(PGError) {
      while let chunk = try source.next() { try stream.write(chunk) }
    } catch {
      // What went wrong first is told; the data is not complete, so the server must forget it.
      try? stream.fail("the source failed: \(error.code)")
      throw error
    }
    return try stream.finish().rowCount ?? 0
  }

  /// Runs the statement, a COPY … FROM STDIN; send the data through what is returned, and finish it.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if it is no such COPY.
  public func copyIn() throws(PGError) -> CopyInStream {
    try requireOpen()
    return try connection.copyIn(try copyText(), hearer: self)
  }

  /// Runs the statement, a COPY … TO STDOUT.
  ///
  /// - Throws: ``PGError``: the server's; `--OPE` if it is no such COPY.
  public func copyOut() throws(PGError) -> CopyOutStream {
    try requireOpen()
    let text = try copyText()
    guard let stream = try connection.copyOut(text, hearer: self) else {
      throw PGError.noCopy(text, on: connection)
    }
    return stream
  }

  private func copyText() throws(PGError) -> String {
    guard let string, isCopy else {
      throw PGError.operation(
        "the statement is no COPY of STDIN or STDOUT",
        hint: "COPY … TO STDOUT copies out, COPY … FROM STDIN copies in"
      ).inside(origin, of: connection)
    }
    return string
  }
}
