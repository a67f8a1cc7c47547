internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// A text of statements and where it came from.
final class Script {
  /// The text in UTF-8, which everyone who reads it shares.
  let bytes: [UInt8]
  /// The file's path, or what the text is called that is in none.
  let name: String
  /// Whether the text is in a file, where data may stand behind a COPY.
  let isFile: Bool
  private lazy var lines = LineStarts(bytes)

  /// A script of the command line.
  init(_ text: String, called name: String) {
    (bytes, self.name, isFile) = (Array(text.utf8), name, false)
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
    guard Self.isUTF8(bytes) else {
      throw Self.failure("the file is not UTF-8", Self.firstLine(notUTF8: bytes, of: name))
    }
    self.bytes = bytes
  }

  /// Where a byte of the text is.
  func place(ofOffset offset: Int) -> SourcePlace {
    let (line, column) = lines.place(ofOffset: offset, in: bytes)
    return SourcePlace(name, isFile: isFile, line: line, column: column)
  }

  /// Looks at the bytes where they are: a script may be large.
  private static func isUTF8(_ bytes: [UInt8]) -> Bool {
    do {
      _ = try UTF8Span(validating: bytes.span)
      return true
    } catch { return false }
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
  /// Where COPY says which line of the data in the script is wrong, it is that one.
  func place(of error: PGError, in text: SubstitutedText) -> SourcePlace {
    guard let position = error.fields?.position, position > 0 else {
      return dataPlace(of: error) ?? place
    }
    return script.place(ofOffset: piece.offset + text.sourceOffset(ofPosition: position))
  }
}

extension ScriptStatement {
  /// The line of the data, as in `COPY t, line 2, column a: "x"`.
  private func dataPlace(of error: PGError) -> SourcePlace? {
    guard let data = copyData, let context = error.fields?.context, context.hasPrefix("COPY "),
      let mark = context.firstRange(of: ", line "),
      let number = Int(context[mark.upperBound...].prefix { $0.isWholeNumber }), number > 0
    else { return nil }
    let first = script.place(ofOffset: data.startIndex).line
    let (line, isTooMuch) = first.addingReportingOverflow(number - 1)
    return isTooMuch ? nil : SourcePlace(script.name, isFile: script.isFile, line: line)
  }
}

/// Where the lines of a text begin, so that a place in it is found without counting from its beginning.
private struct LineStarts {
  private let starts: [Int]
  /// The last place that was asked for: the next is often on the same line behind it.
  private var last = (offset: 0, column: 1)

  init(_ bytes: [UInt8]) {
    var starts = [0]
    for (offset, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
      starts.append(offset + 1)
    }
    self.starts = starts
  }

  /// The line and the column, in Unicode scalars, of a byte; both from 1.
  mutating func place(ofOffset offset: Int, in bytes: [UInt8]) -> (line: Int, column: Int) {
    let offset = min(max(offset, 0), bytes.count)
    var (low, high) = (0, starts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= offset { low = middle } else { high = middle }
    }
    let known = last.offset >= starts[low] && last.offset <= offset
    var (place, column) = known ? last : (starts[low], 1)
    while place < offset {
      if bytes[place] & 0xC0 != 0x80 { column += 1 }
      place += 1
    }
    last = (offset, column)
    return (low + 1, column)
  }
}

/// Reads a script's statements one after the other, as the session reads strings at that time.
struct StatementSource {
  private let script: Script
  private var reader: ScriptReader

  init(_ script: Script) {
    self.script = script
    reader = ScriptReader(utf8: script.bytes)
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
