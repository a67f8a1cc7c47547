internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// What becomes of values that are not UTF-8, as only a SQL_ASCII database can hold them.
enum UnknownText: String, WordArgument {
  case fail, replace, escape, base64, keep

  /// The words of `--invalid-utf8`.
  static let list = allValueStrings.joined(separator: ", ")

  /// The batch as it may be printed.
  ///
  /// - Parameter rowsBefore: How many rows the result had before it.
  /// - Throws: ``Failure`` with status 1, naming row and column.
  func mended(_ batch: RowBatch, rowsBefore: Int) throws(Failure) -> RowBatch {
    if self == .keep { return batch }
    return try batch.replacingValues { (row, column, bytes) throws(Failure) in
      if JSONText.isUTF8(bytes) { return nil }
      switch self {
      case .fail, .keep: throw Self.refusal(batch.columns[column], rowsBefore + row + 1)
      case .replace: return Array(String(decoding: bytes, as: UTF8.self).utf8)
      case .escape: return Self.escaped(bytes)
      case .base64: return Array(Base64.encode(Array(bytes)).utf8)
      }
    }
  }

  private static func refusal(_ column: Column, _ row: Int) -> Failure {
    Failure(
      .localFailure,
      Diagnostic(
        program: OpenCommand.program, severity: .error, code: .characterNotInRepertoire,
        message: "column \"\(column.name)\" of row \(row) is not valid UTF-8",
        details: [
          (
            "HINT",
            "--invalid-utf8 replace, escape or base64 shows it all the same, keep passes it on"
          )
        ]))
  }

  /// The text with `\xE9` for each byte that is no part of a character.
  private static func escaped(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var result: [UInt8] = []
    var rest = bytes[...]
    while let first = rest.first {
      let length = length(ofCharacterBeginning: first)
      let character = UnsafeRawBufferPointer(rebasing: rest.prefix(length))
      if character.count == length, JSONText.isUTF8(character) {
        result += character
        rest = rest.dropFirst(length)
      } else {
        let digits = String(first, radix: 16, uppercase: true)
        result += "\\x\(digits)".utf8
        rest = rest.dropFirst()
      }
    }
    return result
  }

  /// How many bytes a character has whose first one this may be.
  private static func length(ofCharacterBeginning byte: UInt8) -> Int {
    switch byte {
    case 0xC0..<0xE0: 2
    case 0xE0..<0xF0: 3
    case 0xF0...: 4
    default: 1
    }
  }
}
