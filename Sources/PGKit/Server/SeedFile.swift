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
/// on.
struct SeedFile: Sendable {
  let path: String
  let text: String

  /// A larger file is data rather than a script.
  private static let largest = 256 << 20

  /// Reads files; of a directory, every `*.sql` in the order of their names.
  ///
  /// - Throws: ``PGError`` `-Cini` that names what cannot be read, is no UTF-8 or has no SQL in it.
  static func read(_ paths: [String]) throws(PGError) -> [SeedFile] {
    var files: [SeedFile] = []
    for path in paths { files += try read(path) }
    return files
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
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw SystemError(call: "read", number: EILSEQ)
    }
    return SeedFile(path: path, text: text)
  }

  /// The SHA-256 of its text, in hexadecimal digits.
  func digest() throws(PGError) -> String {
    do {
      return String(
        decoding: Hexadecimal.encode(try Digest.sha256(Array(text.utf8))), as: UTF8.self)
    } catch {
      throw .clusterInitialization("could not digest seed \"\(path)\"", cause: error)
    }
  }

  /// The line of a character, both counted from 1.
  private func line(at position: Int) -> Int {
    1 + text.unicodeScalars.prefix(max(position - 1, 0)).count { $0 == "\n" }
  }

  /// Runs it.
  ///
  /// - Throws: ``PGError`` `-Cini` that names the file and what the server said.
  func run(on options: ConnectionOptions) throws(PGError) {
    let connection = try Connector(options).connect()
    defer { connection.close() }
    do throws(PGError) { try connection.execute(text) } catch {
      let line = error.fields?.position.map { self.line(at: $0) }
      throw .clusterInitialization(
        "seed \"\(path)\"\(line.map { ":\($0)" } ?? "") failed: \(error.code) \(error.message)",
        hint: error.code == .syntaxError
          ? "A seed is plain SQL; it may not use psql's commands or read from COPY." : nil,
        cause: error)
    }
  }
}
