internal import Glibc
internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// A text of statements and where it came from.
struct Script {
  /// One statement of it.
  struct Statement {
    let text: String
    /// The file that it is in, or `nil` for the command line.
    let file: String?
    /// The line on which it begins, from 1.
    let line: Int
    /// Whether it begins with the word COPY.
    let isCopy: Bool

    /// Where it begins: `schema.sql:12`; `nil` for the command line.
    var location: String? { file.map { "\($0):\(line)" } }

    /// Where the server says the error is, or where the statement begins: `schema.sql:12:15`.
    func location(of error: PGError) -> String? {
      guard let file else { return nil }
      guard let position = error.fields?.position, position > 0 else { return location }
      let before = text.unicodeScalars.prefix(position - 1)
      let lines = before.reduce(0) { $1 == "\n" ? $0 + 1 : $0 }
      let column = before.reversed().prefix { $0 != "\n" }.count + 1
      return "\(file):\(line + lines):\(column)"
    }
  }

  private let text: String
  private let file: String?

  /// A script of an operand or of `-c`.
  init(operand: String) {
    text = operand
    file = nil
  }

  /// The script in a file; `-` is stdin.
  ///
  /// - Throws: ``Failure`` with status 1 if it cannot be read or is not UTF-8.
  init(file path: String) throws {
    file = path == "-" ? "stdin" : path
    let bytes = try TextFile.read(path, program: OpenCommand.program)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Failure(
        .localFailure,
        Diagnostic(program: OpenCommand.program, message: "\(path): the file is not UTF-8"))
    }
    self.text = text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
  }

  /// Its statements, in order, as the session reads strings now.
  ///
  /// - Throws: ``Failure`` with status 3 if a quote or comment has no end.
  func statements(on connection: Connection) throws -> [Statement] {
    let conforming = connection.reportedSetting("standard_conforming_strings") != "off"
    do throws(PGError) {
      return try ScriptSplitter.split(text, standardConformingStrings: conforming).map {
        Statement(text: $0.text, file: file, line: $0.line, isCopy: $0.firstWord == "COPY")
      }
    } catch {
      throw error.failure(of: OpenCommand.program, status: .refused, location: file)
    }
  }
}
