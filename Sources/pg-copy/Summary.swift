internal import PGCommandLine
internal import PGConnecting
internal import PGKit

/// The last line on stderr: how much was copied, and what became of each receiver.
struct Summary {
  private let run: RunRecord
  private let status: ExitStatus
  private let duration: Duration
  /// Why the run as a whole has failed, if it is not a receiver's failure.
  private let reason: Diagnostic?
  /// The signal by which the program ends, if not by one that has met it.
  private let signal: CInt?

  init(
    _ run: RunRecord, _ status: ExitStatus, because reason: Diagnostic? = nil,
    endingBy signal: CInt? = nil
  ) {
    (self.run, self.status, self.reason, self.signal) = (run, status, reason, signal)
    duration = ContinuousClock.now - run.start
  }

  /// Prints it, unless nothing is to be said.
  func print(_ reporting: ReportingFlags) {
    guard Interruptions.shared.takeBackLastWords() else { return }
    if reporting.summary == .json { return StandardError.print(json) }
    if reporting.quiet { return }
    Diagnostic.own(text).print()
  }

  private var text: String {
    let amount = (run.rows.map { Self.format(rows: $0) + ", " } ?? "") + "\(run.moved) bytes"
    let ends = run.receivers.map { describe($0) }
    return "\(amount) in \(Self.decimal(Self.seconds(duration))) s; \(ends.joined(separator: "; "))"
  }

  private func describe(_ receiver: Receiver) -> String {
    let amount = receiver.rows.map { Self.format(rows: $0) + " " } ?? ""
    let rejected =
      receiver.rejectedRows > 0 ? ", \(Self.format(rows: receiver.rejectedRows)) rejected" : ""
    let leftOut = receiver.leftOutRows.flatMap { $0 > 0 ? ", \($0) left out" : nil } ?? ""
    let merged = receiver.mergedRows.map { ", \($0) of them stored or changed\(leftOut)" } ?? ""
    return switch receiver.state {
    case .committed where receiver.server == nil: "\(receiver.label): written"
    case .committed: "\(receiver.label): \(amount)committed\(merged)\(rejected)"
    case .unknown: "\(receiver.label): unknown whether committed"
    case .partial: "\(receiver.label): some parts committed and others not"
    case .skipped(let reason): "\(receiver.label): skipped: \(reason)"
    case .failed where receiver.delivered > 0:
      "\(receiver.label): cut off after \(receiver.delivered) bytes"
    case .failed, .taking: "\(receiver.label): nothing stored"
    }
  }

  // MARK: For machines

  /// What a shell sees: a program that a signal has met ends by it when everything is in order.
  private var exitCode: Int32 {
    (Interruptions.shared.signal ?? signal).map { 128 + $0 } ?? status.rawValue
  }

  private var json: String {
    Self.beginning(
      run.identity, exitCode, reason?.code.map { "\($0)" }, reason?.message, Self.seconds(duration))
      + rest(run.receivers.map { line(of: $0).text })
  }

  private func rest(_ receivers: [String]) -> String {
    let (before, between, after) = aroundReceivers
    return before + "\(run.moved)" + between + receivers.joined(separator: ",") + after
  }

  private static func beginning(
    _ identity: RunIdentity, _ exitCode: Int32, _ state: String?, _ message: String?,
    _ seconds: Double
  ) -> String {
    """
    {"program":"\(CopyCommand.program)","job":\(JSONText.quoted(identity.job)),\
    "run":"\(identity.run)","exit_code":\(exitCode),"sqlstate":\(json(state)),\
    "message":\(json(message)),"seconds":\(decimal(seconds)),
    """
  }

  /// What to print, from whatever thread, about a run that must end before its work does; what is copied so
  /// far is then stored nowhere, but what stdout has got cannot be taken back.
  ///
  /// - Parameter moved: How much the source has given by then, as far as that was noted.
  static func lastWords(
    of run: RunRecord, _ reporting: ReportingFlags, moved: @escaping @Sendable () -> Int
  ) -> @Sendable (Int32, String) -> Void {
    let isJSON = reporting.summary == .json
    let (identity, start, summary) = (run.identity, run.start, Summary(run, .deadline))
    let lines = run.receivers.map { summary.line(of: $0) }
    let (before, between, after) = summary.aroundReceivers
    return { exitCode, message in
      if isJSON {
        StandardOutput.shared.breakOff()
        let duration = ContinuousClock.now - start
        let receivers = lines.map { $0.cutOff().text }.joined(separator: ",")
        // What was given while the last of it was written is noted only behind that.
        let moved = max(moved(), lines.map { $0.cutOff().bytes }.max() ?? 0)
        StandardError.print(
          beginning(identity, exitCode, nil, message, seconds(duration)) + before + "\(moved)"
            + between + receivers + after)
      } else if Interruptions.shared.signal != nil {
        Diagnostic.own(message).print()
      }
    }
  }

  /// What does not depend on when and why it ends: before the bytes that were moved, between them and the
  /// receivers, and behind those.
  private var aroundReceivers: (before: String, between: String, after: String) {
    let before = """
      "source":\(JSONText.quoted(run.source)),"format":"\(run.format.rawValue)",\
      "rows":\(Self.json(run.rows)),"bytes":
      """
    let between = """
      ,"checksum":\(Self.json(run.checksum?.description)),\
      "snapshot":\(Self.json(run.snapshot)),"parts":[\(parts)],"receivers":[
      """
    return (before, between, "]}")
  }

  /// The parts that were read to their ends.
  private var parts: String {
    let inOrder = run.proofs.sorted { $0.part.number < $1.part.number }
    return inOrder.map { proof in
      let blocks = proof.part.blocks
      return """
        {"part":\(proof.part.number),"first_block":\(Self.json(blocks?.first)),\
        "next_block":\(Self.json(blocks?.next)),"rows":\(Self.json(proof.rows)),\
        "bytes":\(proof.bytes),"checksum":\(Self.json(proof.checksum?.description))}
        """
    }.joined(separator: ",")
  }

  private func parts(of receiver: Receiver) -> String {
    let inOrder = receiver.parts.sorted { $0.number < $1.number }
    return inOrder.map { part in
      """
      {"part":\(part.number),"rows":\(Self.json(part.rows)),"bytes":\(part.bytes),\
      "checksum":\(Self.json(part.checksum?.description)),"status":"\(receiver.state(of: part).word)"}
      """
    }.joined(separator: ",")
  }

  /// What is said of a receiver, which any thread can say.
  private struct Line: Sendable {
    let isOutput: Bool
    let before: String
    var status: String
    let rows: String
    var bytes: Int
    let after: String

    var text: String { "\(before)\"\(status)\",\"rows\":\(rows),\"bytes\":\(bytes),\(after)" }

    /// The same of a receiver that is cut off now: what stdout has got cannot be taken back.
    func cutOff() -> Line {
      guard isOutput, StandardOutput.shared.mayBeSeen else { return self }
      var line = self
      (line.status, line.bytes) = ("partial", StandardOutput.shared.acceptedBytes)
      return line
    }
  }

  private func line(of receiver: Receiver) -> Line {
    let stored = receiver.parts.filter { receiver.state(of: $0) == .committed }
    let table = receiver.table.path.isEmpty ? nil : receiver.table.path.joined(separator: ".")
    return Line(
      isOutput: receiver.operand.place == .standardStream,
      before: """
        {"receiver":\(receiver.number),"place":\(JSONText.quoted(receiver.server?.place ?? receiver.label)),\
        "table":\(Self.json(table)),"status":
        """,
      status: receiver.word, rows: Self.json(rows(stored)),
      bytes: stored.reduce(receiver.delivered) { $0 + $1.bytes },
      after: """
        "merged":\(Self.json(receiver.mergedRows)),"left_out":\(Self.json(receiver.leftOutRows)),\
        "rejected":\(receiver.rejectedRows),\
        "checksum":\(Self.json(receiver.checksum?.description)),"parts":[\(parts(of: receiver))],\
        "seconds":\(Self.decimal(Self.seconds(receiver.duration ?? duration))),\
        "sqlstate":\(Self.json(receiver.failure.map { "\($0.code)" })),\
        "message":\(Self.json(receiver.failure?.message ?? receiver.skipReason)),\
        "remedy":\(Self.json(receiver.remedy))}
        """)
  }

  /// How many rows are there for good.
  private func rows(_ stored: [StoredPart]) -> Int? {
    let known = stored.compactMap(\.rows)
    if known.count < stored.count { return nil }
    return known.reduce(0) { $0.addingRows($1) }
  }

  private static func json(_ number: Int?) -> String { number.map(String.init) ?? "null" }
  private static func json(_ text: String?) -> String { text.map(JSONText.quoted) ?? "null" }

  private static func format(rows: Int) -> String { rows == 1 ? "1 row" : "\(rows) rows" }

  static func seconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  /// A number with three digits after the point.
  ///
  /// What is no time that anybody could wait for is the most that is written.
  static func decimal(_ number: Double) -> String {
    let thousandths = number > 0 ? Int((min(number, 1e12) * 1000).rounded()) : 0
    let digits = String(thousandths % 1000)
    return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
  }
}

extension Receiver.State {
  /// One word for machines.
  var word: String {
    switch self {
    case .taking, .failed: "rolled_back"
    case .committed: "committed"
    case .partial: "partial"
    case .unknown: "unknown"
    case .skipped: "skipped"
    }
  }
}
