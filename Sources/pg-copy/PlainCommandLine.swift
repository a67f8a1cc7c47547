internal import PGCommandLine

/// Reads the command lines that scripts use most without the parser, which takes longer to begin than a
/// small table takes to be copied: the two operands, and the options below, each with its value in the
/// next word.
///
/// Any other makes the command line the parser's, mistakes among them, so that there is one place where
/// they are told.
struct PlainCommandLine {
  private var words: PlainWords
  private var request = CopyRequest(
    receivers: [], format: .auto, encoding: nil, storing: .none, reading: .none, running: .none,
    reporting: .none, source: "", rows: "")
  private var operands: [String] = []
  /// The options that were met and may stand once: of several the parser takes one.
  private var met: Set<String> = []

  init(_ words: some Sequence<String>) { self.words = PlainWords(words) }

  /// What is asked for, as the parser would have read it; `nil` if the parser must.
  mutating func read() -> CopyRequest? {
    while let word = words.next() {
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      guard take(word) else { return nil }
    }
    guard operands.count == 2, !request.receivers.isEmpty else { return nil }
    assert(Self.forgotten.isEmpty, "\(Self.forgotten) would not have a value")
    (request.source, request.rows) = (operands[0], operands[1])
    return request
  }

  private static var forgotten: [String] {
    StoringFlags.forgotten + ReadingFlags.forgotten + RunningFlags.forgotten
      + ReportingFlags.forgotten
  }

  private mutating func take(_ option: String) -> Bool {
    if option == "--to" { return takeValue { $0.request.receivers.append($1) } }
    guard met.insert(option).inserted else { return false }
    switch option {
    case "-q", "--quiet": request.reporting.quiet = true
    case "--atomic": request.storing.atomic = true
    case "--verify": request.storing.verify = true
    case "--dry-run": request.running.dryRun = true
    case "--job": return takeValue { $0.request.running.job = $1 }
    case "--single": return takeValue { $0.request.running.single = $1 }
    case "--format": return takeWord { $0.request.format = $1 }
    case "--replace": return takeWord { $0.request.storing.replace = $1 }
    case "--on-conflict": return takeWord { $0.request.storing.onConflict = $1 }
    case "--summary": return takeWord { $0.request.reporting.summary = $1 }
    default: return false
    }
    return true
  }

  private mutating func takeValue(_ store: (inout PlainCommandLine, String) -> Void) -> Bool {
    guard let value = words.value() else { return false }
    store(&self, value)
    return true
  }

  /// Takes a value that is one of a few words; any other is the parser's to refuse.
  private mutating func takeWord<Word: WordArgument>(
    _ store: (inout PlainCommandLine, Word) -> Void
  ) -> Bool {
    guard let value = words.value(), let word = Word(rawValue: value) else { return false }
    store(&self, word)
    return true
  }
}
