internal import PGCommandLine
internal import PGKit

/// Assignments for a shell's `eval`: `name='value'`, quoted as POSIX has it; NULL unsets the name.
///
/// A variable holds one value, so the result must have one row.
struct ShellPrinter: RowPrinter {
  private let nullText: String?
  private var names: [[UInt8]] = []
  private var count = 0

  init(nullText: String?) { self.nullText = nullText }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) throws(Failure) {
    count = 0
    names = try ShellWord.names(of: columns)
  }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) throws(Failure) {
    count += batch.count
    if count > 1 { throw notOneRow("more than one row") }
    batch.forEachValue(inRow: 0) { column, value in
      if let value {
        buffer.append(names[column])
        buffer.append(UInt8(ascii: "="))
        ShellWord.append(value, &buffer)
      } else if let nullText {
        buffer.append(names[column])
        buffer.append(UInt8(ascii: "="))
        Array(nullText.utf8).withUnsafeBytes { ShellWord.append($0, &buffer) }
      } else {
        buffer.append("unset -v ")
        buffer.append(names[column])
      }
      buffer.append(UInt8(ascii: "\n"))
    }
  }

  mutating func end(_ buffer: inout OutputBuffer) throws(Failure) {
    if count == 0 { throw notOneRow("no row") }
  }

  private func notOneRow(_ what: String) -> Failure {
    Failure(
      .negative,
      Diagnostic(
        program: OpenCommand.program,
        message: "the result has \(what), and shell variables hold exactly one"))
  }
}

/// Assignments for bash's `eval`: an array for each column, with an element for each row; NULL leaves its
/// element unset.
struct BashPrinter: RowPrinter {
  private let nullText: [UInt8]?
  private var names: [[UInt8]] = []
  private var count = 0

  init(nullText: String?) { self.nullText = nullText.map { Array($0.utf8) } }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) throws(Failure) {
    count = 0
    names = try ShellWord.names(of: columns)
    for name in names {
      buffer.append(name)
      buffer.append("=()\n")
    }
  }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) {
    for row in 0..<batch.count {
      batch.forEachValue(inRow: row) { column, value in
        guard value != nil || nullText != nil else { return }
        buffer.append(names[column])
        buffer.append("[\(count)]=")
        if let value {
          ShellWord.append(value, &buffer)
        } else {
          nullText?.withUnsafeBytes { ShellWord.append($0, &buffer) }
        }
        buffer.append(UInt8(ascii: "\n"))
      }
      count += 1
    }
  }
}

/// What shells take for names and for single values.
private enum ShellWord {
  /// The columns' names, which must be names of variables.
  ///
  /// - Throws: ``Failure`` with status 1.
  static func names(of columns: [Column]) throws(Failure) -> [[UInt8]] {
    var seen: Set<String> = []
    for (index, column) in columns.enumerated() {
      guard isName(column.name) else {
        throw refusal(
          "column \(index + 1), \"\(column.name)\", cannot be the name of a shell's variable")
      }
      guard seen.insert(column.name).inserted else {
        throw refusal("two columns are called \"\(column.name)\"")
      }
    }
    return columns.map { Array($0.name.utf8) }
  }

  /// Appends a value in single quotes.
  static func append(_ value: UnsafeRawBufferPointer, _ buffer: inout OutputBuffer) {
    buffer.append(UInt8(ascii: "'"))
    for byte in value {
      if byte == UInt8(ascii: "'") { buffer.append("'\\'") }
      buffer.append(byte)
    }
    buffer.append(UInt8(ascii: "'"))
  }

  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, first &- 0x30 >= 10 else { return false }
    return text.utf8.allSatisfy {
      $0 == UInt8(ascii: "_") || $0 &- 0x30 < 10 || ($0 | 0x20) &- 0x61 < 26
    }
  }

  private static func refusal(_ message: String) -> Failure {
    Failure(
      .localFailure,
      Diagnostic(
        program: OpenCommand.program, message: message, details: [("HINT", "name it: … AS name")]))
  }
}
