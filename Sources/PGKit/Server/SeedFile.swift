#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file of SQL that makes what every test begins with.
///
/// It is run once, in a template that is kept under the contents of all such files, and copied from then
/// on. It is a script as psql reads them, without psql's own commands: each statement is a transaction of
/// its own unless the script says otherwise, and data may stand behind a COPY.
struct SeedFile: Sendable {
  let path: String
  /// The script in UTF-8.
  let bytes: [UInt8]

  /// A larger file is data rather than a script.
  private static let largest = 256 << 20

  /// Reads files; of a directory, every `*.sql` in the order of their names, and likewise of a pattern
  /// that no shell has seen.
  ///
  /// - Throws: ``PGError`` `-Cini` that names what cannot be read, is no UTF-8 or has no SQL in it.
  static func read(_ paths: [String]) throws(PGError) -> [SeedFile] {
    var files: [SeedFile] = []
    for path in paths {
      for path in try matches(path) { files += try read(path) }
    }
    return files
  }

  /// What a pattern such as `migrations/*.sql` stands for, in the order of names; every other path is
  /// itself.
  private static func matches(_ path: String) throws(PGError) -> [String] {
    guard path.contains(where: { "*?[".contains($0) }), (try? FileStatus(of: path)) == nil else {
      return [path]
    }
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(path, 0, nil, &found) == 0, let entries = found.gl_pathv else {
      throw .clusterInitialization("no file matches seed \"\(path)\"")
    }
    return (0..<Int(found.gl_pathc)).compactMap { entries[$0].map { String(cString: $0) } }
  }

  private static func read(_ path: String) throws(PGError) -> [SeedFile] {
    do throws(SystemError) {
      guard try FileStatus(of: path).isDirectory else { return [try file(path)] }
      var files: [SeedFile] = []
      for name in try FolderListing.names(in: path) where name.hasSuffix(".sql") {
        files.append(try file("\(path)/\(name)"))
      }
      if !files.isEmpty { return files }
    } catch {
      throw .clusterInitialization("could not read seed \"\(path)\": \(error.text)", cause: error)
    }
    throw .clusterInitialization("directory \"\(path)\" has no file *.sql to begin with")
  }

  private static func file(_ path: String) throws(SystemError) -> SeedFile {
    let bytes = try OpenFile(opening: path, O_RDONLY).read(limit: largest + 1)
    guard bytes.count <= largest else { throw SystemError(call: "read", number: EFBIG) }
    // Repaired, it would put other data into the database than the file has.
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw SystemError(call: "read", number: EILSEQ)
    }
    return SeedFile(path: path, bytes: bytes)
  }

  /// The SHA-256 of its text, in hexadecimal digits.
  func digest() throws(PGError) -> String {
    do {
      return String(decoding: Hexadecimal.encode(try Digest.sha256(bytes)), as: UTF8.self)
    } catch {
      throw .clusterInitialization("could not digest seed \"\(path)\"", cause: error)
    }
  }
}

// Running
extension SeedFile {
  /// Runs it.
  ///
  /// - Throws: ``PGError`` `-Cini` that names the file, the line and what the server said.
  func run(on options: ConnectionOptions) throws(PGError) {
    let connection = try Connector(options).connect()
    defer { connection.close() }
    var reader = ScriptReader(utf8: bytes)
    while let piece = try next(&reader, on: connection) {
      if piece.streamCopy == .fromProgram {
        try copy(piece, &reader, on: connection)
      } else {
        do throws(PGError) { try connection.execute(piece.text) } catch {
          throw failure(error, atLine: Self.line(of: error, in: piece))
        }
      }
    }
    if connection.transactionStatus == .idle { return }
    throw .clusterInitialization(
      "seed \"\(path)\" leaves a transaction open, so that what it made is lost",
      hint: "COMMIT is missing at its end.")
  }

  private func next(
    _ reader: inout ScriptReader, on connection: Connection
  ) throws(PGError) -> ScriptSplitter.Piece? {
    do throws(PGError) {
      return try reader.next(standardConformingStrings: connection.hasConformingStrings)
    } catch {
      throw failure(error, atLine: line(ofOffset: reader.offset))
    }
  }

  /// Sends the data that stands behind a COPY.
  private func copy(
    _ piece: ScriptSplitter.Piece, _ reader: inout ScriptReader, on connection: Connection
  ) throws(PGError) {
    var dataLine: Int?
    do throws(PGError) {
      let data = try reader.takeCopyData()
      dataLine = line(ofOffset: data.startIndex)
      let stream = try connection.copyIn(piece.text)
      try stream.write(Array(data))
      _ = try stream.finish()
    } catch {
      let inData = Self.dataLine(of: error).flatMap { line in dataLine.map { $0 + line - 1 } }
      throw failure(error, atLine: inData ?? Self.line(of: error, in: piece))
    }
  }

  private func failure(_ error: PGError, atLine line: Int) -> PGError {
    .clusterInitialization(
      "seed \"\(path)\":\(line) failed: \(error.code) \(error.message)",
      hint: error.code == .syntaxError && hasBackslash(inLine: line)
        ? "psql's own commands are not known here; --seed-cmd could run psql." : error.fields?.hint,
      cause: error)
  }

  private func line(ofOffset offset: Int) -> Int {
    1 + bytes.prefix(max(offset, 0)).count { $0 == ASCII.newline }
  }

  private func hasBackslash(inLine line: Int) -> Bool {
    let lines = bytes.split(separator: ASCII.newline, omittingEmptySubsequences: false)
    return lines.indices.contains(line - 1)
      && lines[line - 1].first { $0 != ASCII.space && $0 != ASCII.tab } == UInt8(ascii: "\\")
  }

  /// The line of the server's position, else the statement's first.
  private static func line(of error: PGError, in piece: ScriptSplitter.Piece) -> Int {
    let before = piece.text.unicodeScalars.prefix(max((error.fields?.position ?? 1) - 1, 0))
    return piece.line + before.count { $0 == "\n" }
  }

  /// The line of the data, as in `COPY t, line 2, column a: "x"`.
  private static func dataLine(of error: PGError) -> Int? {
    guard let context = error.fields?.context, context.hasPrefix("COPY "),
      let mark = context.firstRange(of: ", line ")
    else { return nil }
    let number = Int(context[mark.upperBound...].prefix { $0.isWholeNumber })
    return number.flatMap { (1...Self.largest).contains($0) ? $0 : nil }
  }
}
