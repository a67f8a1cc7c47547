internal import PGCommandLine
internal import PGErrorCodes

/// The answering of operands, one after the other.
struct Inquiry {
  var sources = Sources()
  var exact = false
  var report = Report.text
  /// Instead of being explained, each operand is asked whether it belongs to this set.
  var set: String?

  /// Answers every operand; `-` stands for the lines of stdin.
  ///
  /// - Throws: `Failure` with the gravest status: 64 for what has no form, 6 for what is unknown.
  func answer(_ operands: [String]) throws {
    var status = ExitStatus.ok
    for operand in operands {
      if operand == "-" {
        let count = try answerLines(&status)
        // Nothing belongs to no set: a question without a code must not be answered with yes.
        if count == 0, set != nil {
          Self.note("stdin has no code to look for in the set")
          status = .usage
        }
      } else {
        try answer(operand, &status)
      }
    }
    if status != .ok { throw Failure(status) }
  }

  /// Answers the lines of stdin; returns how many questions there were.
  private func answerLines(_ status: inout ExitStatus) throws -> Int {
    var count = 0
    try StandardInput.forEachLine(program: ErrorCodeCommand.program) {
      try StandardOutput.shared.flush()
    } _: { line in
      let text = String(decoding: line.bytes, as: UTF8.self)
      guard !Question.trimmed(text).isEmpty else { return }
      count += 1
      try answer(text, &status)
    }
    return count
  }

  /// Answers one operand; the gravest status of all operands is kept.
  private func answer(_ operand: String, _ status: inout ExitStatus) throws {
    guard let question = Question(operand) else {
      Self.note(
        "\(Question.quoted(operand)) is not a code (five characters), a class (two), or a name")
      status = .usage
      return
    }
    let answer = Answer(to: question, exact: exact, in: sources)
    if let set {
      if !contains(answer, set), status == .ok { status = .negative }
      return
    }
    for remark in answer.remarks(on: question, sources) { Self.note(remark) }
    if answer.match == .none, status == .ok { status = .negative }
    try StandardOutput.shared.write(report.lines(question, answer, sources))
  }

  /// Whether everything that the question may mean belongs to the set.
  private func contains(_ answer: Answer, _ set: String) -> Bool {
    !answer.definitions.isEmpty
      && answer.definitions.allSatisfy { sources.catalogue.contains($0.code, set: set) }
  }

  static func note(_ message: String) {
    Diagnostic(program: ErrorCodeCommand.program, message: message).print()
  }
}
