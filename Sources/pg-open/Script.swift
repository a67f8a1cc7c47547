internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// A text of statements and where it came from.
final class Script {
  /// The text.
  let text: String
  /// The file's path, or what the text is called that is in none.
  private let name: String
  /// Whether the text is in a file, where data may stand behind a COPY.
  let isFile: Bool

  /// A script of the command line.
  init(_ text: String, called name: String) {
    (self.text, self.name, isFile) = (text, name, false)
  }

  /// The script in a file; `-` is stdin.
  ///
  /// - Throws: ``Failure`` with status 1 if it cannot be read, is not UTF-8 or holds a NUL.
  init(file path: String) throws(Failure) {
    name = path == "-" ? "stdin" : path
    isFile = true
    var bytes = try TextFile.read(path, program: OpenCommand.program)
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    if let place = bytes.firstIndex(of: 0) {
      throw Self.failure("a NUL byte is no SQL", SourcePlace(name, offset: place, in: bytes))
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Self.failure("the file is not UTF-8", Self.firstLine(notUTF8: bytes, of: name))
    }
    self.text = text
  }

  /// Where a byte of the text is.
  func place(ofOffset offset: Int) -> SourcePlace {
    SourcePlace(name, isFile: isFile, offset: offset, in: Array(text.utf8))
  }

  private static func firstLine(notUTF8 bytes: [UInt8], of name: String) -> SourcePlace {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let index = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
    return SourcePlace(name, line: index + 1)
  }

  private static func failure(_ message: String, _ place: SourcePlace) -> Failure {
    Failure(
      .localFailure, Diagnostic(program: OpenCommand.program, message: message, place: place))
  }
}

/// One statement of a script.
struct ScriptStatement {
  let piece: ScriptSplitter.Piece
  let script: Script
  /// The data that stands behind a COPY in a file.
  let copyData: ArraySlice<UInt8>?

  /// Where it begins.
  var place: SourcePlace { script.place(ofOffset: piece.offset) }

  /// Where an error is: at the server's position, or where the statement begins.
  ///
  /// On the command line, where there is little to search, only a position counts.
  func place(of error: PGError, in text: SubstitutedText) -> SourcePlace? {
    guard let position = error.fields?.position, position > 0 else {
      return script.isFile ? place : nil
    }
    return script.place(ofOffset: piece.offset + text.sourceOffset(ofPosition: position))
  }
}

/// Reads a script's statements one after the other, as the session reads strings at that time.
struct StatementSource {
  private let script: Script
  private var reader: ScriptReader

  init(_ script: Script) {
    self.script = script
    reader = ScriptReader(script.text)
  }

  /// The next statement.
  ///
  /// - Throws: ``Failure`` with status 3 if a quote or comment has no end.
  mutating func next(standardConformingStrings: Bool) throws(Failure) -> ScriptStatement? {
    do throws(PGError) {
      guard
        let piece = try reader.next(standardConformingStrings: standardConformingStrings)
      else { return nil }
      let hasData = script.isFile && piece.streamCopy == .fromProgram
      return ScriptStatement(
        piece: piece, script: script, copyData: hasData ? try reader.takeCopyData() : nil)
    } catch {
      throw error.failure(
        of: OpenCommand.program, status: .refused,
        place: script.place(ofOffset: reader.offset))
    }
  }
}
