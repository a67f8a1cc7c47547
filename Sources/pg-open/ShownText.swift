internal import PGCommandLine

/// A text as people see it: on one line, without anything that could command a terminal.
struct ShownText {
  let text: String

  init(_ text: String) {
    guard
      text.unicodeScalars.contains(where: Diagnostic.isControl)
    else {
      self.text = text
      return
    }
    var line = ""
    for scalar in Diagnostic.escapingControls(text).unicodeScalars {
      switch scalar {
      case "\n": line += "\\n"
      case "\t": line += "\\t"
      default: line.unicodeScalars.append(scalar)
      }
    }
    self.text = line
  }

  /// How many cells of a terminal it takes.
  var width: Int { text.reduce(0) { $0 + DisplayWidth.of($1) } }
}
