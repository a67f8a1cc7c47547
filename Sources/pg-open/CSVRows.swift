internal import PGCommandLine
internal import PGConnecting

/// Rows of a CSV file (RFC 4180) whose first line names the columns.
///
/// Beyond the RFC, what follows a closing quote belongs to the value, and a quote within a bare value is
/// itself, as where COPY reads the file.
///
/// A value is NULL if it is the null text without quotes, as where `--format csv` wrote it.
struct CSVRows: EachRows {
  private struct Record {
    let line: Int
    let source: [UInt8]
    let fields: [Field]
    /// Whether a quote that begins in it has no end.
    let isOpen: Bool
  }

  private struct Field {
    var bytes: [UInt8] = []
    var isQuoted = false
  }

  private let lines: LineReader
  private let nullText: [UInt8]
  private var line = 0
  private var width = 0
  private var positions: [Int] = []
  private(set) var columns: [String]?
  private(set) var header: [UInt8] = []

  var name: String { lines.name }

  /// Opens the file and reads its first line.
  ///
  /// - Parameter wanted: The columns to take; `nil` for all.
  init(_ path: String, columns wanted: [String]?, nullText: String) throws(Failure) {
    lines = try LineReader(
      path, program: OpenCommand.program, while: { !Interruptions.shared.isInterrupted })
    self.nullText = Array(nullText.utf8)
    guard let first = try readRecord() else {
      throw Failure(
        .localFailure,
        Diagnostic(
          program: OpenCommand.program,
          message: "\(lines.name): the line with the columns is missing"
        ))
    }
    var all: [String] = []
    for field in first.fields { all.append(try text(field, line: first.line)) }
    if first.isOpen { throw fault(Self.openQuote, line: first.line) }
    width = all.count
    header = first.source
    positions = try Self.positions(of: wanted, in: all, lines.name)
    columns = positions.map { all[$0] }
  }

  mutating func next() throws(Failure) -> EachRow? {
    guard let record = try readRecord() else { return nil }
    do throws(Failure) {
      return EachRow(line: record.line, source: record.source, values: try values(of: record))
    } catch {
      return EachRow(line: record.line, source: record.source, values: [], fault: error)
    }
  }

  private func values(of record: Record) throws(Failure) -> [EachValue] {
    if record.isOpen { throw fault(Self.openQuote, line: record.line) }
    guard record.fields.count == width else {
      throw fault(
        "the row has \(record.fields.count) values, and the first line \(width)",
        line: record.line)
    }
    var values: [EachValue] = []
    for position in positions {
      let field = record.fields[position]
      let isNull = !field.isQuoted && field.bytes == nullText
      values.append(.text(isNull ? nil : try text(field, line: record.line)))
    }
    return values
  }

  private static let openQuote = "a quote that begins in this row has no end"

  /// A line that rejects can follow, though the file's last lacks its newline.
  private static func ended(_ source: [UInt8]) -> [UInt8] {
    source.last == UInt8(ascii: "\n") ? source : source + [UInt8(ascii: "\n")]
  }

  private func text(_ field: Field, line: Int) throws(Failure) -> String {
    guard let text = String(validating: field.bytes, as: UTF8.self) else {
      throw fault("a value is not UTF-8", line: line)
    }
    return text
  }

  /// Reads as many lines as a record takes: a newline in quotes is part of a value.
  private mutating func readRecord() throws(Failure) -> Record? {
    guard let first = try lines.next() else { return nil }
    line += 1
    let start = line
    var source = Array(first)
    var fields = [Field()]
    var isOpen = false
    var index = 0
    while true {
      while index < source.count {
        read(source, &index, &fields, &isOpen)
      }
      guard isOpen else { break }
      guard let more = try lines.next() else { break }
      line += 1
      source += more
      guard source.count <= LineReader.lineLimit else {
        throw fault("a row is too long", line: start)
      }
    }
    return Record(line: start, source: Self.ended(source), fields: fields, isOpen: isOpen)
  }

  /// Reads one byte, or a pair of quotes.
  private func read(
    _ source: [UInt8], _ index: inout Int, _ fields: inout [Field], _ isOpen: inout Bool
  ) {
    let byte = source[index]
    let last = fields.count - 1
    index += 1
    if isOpen {
      guard byte == UInt8(ascii: "\"") else { return fields[last].bytes.append(byte) }
      if index < source.count, source[index] == byte {
        fields[last].bytes.append(byte)
        index += 1
      } else {
        isOpen = false
      }
      return
    }
    switch byte {
    case UInt8(ascii: "\"") where fields[last].bytes.isEmpty:
      fields[last].isQuoted = true
      isOpen = true
    case UInt8(ascii: ","): fields.append(Field())
    case UInt8(ascii: "\n"): break
    case UInt8(ascii: "\r") where index >= source.count || source[index] == UInt8(ascii: "\n"):
      break
    default: fields[last].bytes.append(byte)
    }
  }
}
