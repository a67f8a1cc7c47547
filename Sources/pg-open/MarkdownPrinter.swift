internal import PGCommandLine
internal import PGKit

/// A table of Markdown, as GitHub and others show it.
///
/// What would be a mark of Markdown or HTML is escaped, so values look as they are.
struct MarkdownPrinter: RowPrinter {
  private let nullText: String

  init(nullText: String) { self.nullText = Self.escaped(nullText) }

  mutating func begin(_ columns: [Column], _ buffer: inout OutputBuffer) {
    if columns.isEmpty { return }
    for column in columns { buffer.append("| \(Self.escaped(column.name)) ") }
    buffer.append("|\n")
    for column in columns { buffer.append(column.isNumber ? "|--:" : "|---") }
    buffer.append("|\n")
  }

  mutating func print(_ batch: RowBatch, _ buffer: inout OutputBuffer) {
    for row in 0..<batch.count {
      batch.forEachValue(inRow: row) { _, value in
        let text = value.map { Self.escaped(String(decoding: $0, as: UTF8.self)) } ?? nullText
        buffer.append("| \(text) ")
      }
      buffer.append("|\n")
    }
  }

  mutating func end(_ buffer: inout OutputBuffer) { buffer.append("\n") }

  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": result += "<br>"
      case "\r": continue
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\\", "|", "`", "*", "_", "[", "]", "~", "#", "$":
        result += "\\"
        result.unicodeScalars.append(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return Diagnostic.escapingControls(result)
  }
}

extension Column {
  /// Whether the values are numbers, which people want aligned at their ends.
  var isNumber: Bool {
    switch type {
    case .int2, .int4, .int8, .oid, .float4, .float8, .numeric, .money: true
    default: false
    }
  }
}
