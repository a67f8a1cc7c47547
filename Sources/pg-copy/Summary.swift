internal import PGCommandLine
internal import PGKit

/// The last line on stderr: how much was copied, and what became of each receiver.
struct Summary {
  private let job: CopyJob
  private let status: ExitStatus
  private let duration: Duration

  init(_ job: CopyJob, _ status: ExitStatus) {
    (self.job, self.status) = (job, status)
    duration = ContinuousClock.now - job.start
  }

  /// Prints it, unless nothing is to be said.
  func print() {
    job.progress.end()
    if job.plan.reporting.summary == .json { return StandardError.print(json) }
    if job.plan.reporting.quiet { return }
    Diagnostic(program: CopyCommand.program, message: text).print()
  }

  private var rows: Int? { job.sourceRows ?? job.receivers.lazy.compactMap(\.rows).first }

  private var text: String {
    let amount = (rows.map { Self.format(rows: $0) + ", " } ?? "") + "\(job.bytes) bytes"
    let ends = job.receivers.map { describe($0) }
    return "\(amount) in \(Self.decimal(Self.seconds(duration))) s; \(ends.joined(separator: "; "))"
  }

  private func describe(_ receiver: Receiver) -> String {
    let amount = receiver.rows.map { Self.format(rows: $0 - receiver.rejectedRows) + " " } ?? ""
    let rejected =
      receiver.rejectedRows > 0 ? ", \(Self.format(rows: receiver.rejectedRows)) rejected" : ""
    let merged = receiver.mergedRows.map { ", \($0) of them stored or changed" } ?? ""
    return switch receiver.state {
    case .committed where receiver.server == nil: "\(receiver.label): written"
    case .committed: "\(receiver.label): \(amount)committed\(merged)\(rejected)"
    case .unknown: "\(receiver.label): unknown whether committed"
    case .skipped(let reason): "\(receiver.label): skipped: \(reason)"
    case .failed, .taking: "\(receiver.label): nothing stored"
    }
  }

  // MARK: For machines

  private var json: String {
    let receivers = job.receivers.map { json($0) }.joined(separator: ",")
    return """
      {"program":"\(CopyCommand.program)","job":\(JSONText.quoted(job.identity.job)),\
      "run":"\(job.identity.run)","exit_code":\(status.rawValue),\
      "source":\(JSONText.quoted(job.sourceLabel)),"format":"\(job.format.rawValue)",\
      "rows":\(Self.json(rows)),"bytes":\(job.bytes),\
      "checksum":\(Self.json(job.sourceChecksum?.description)),\
      "snapshot":\(Self.json(job.snapshot)),\
      "seconds":\(Self.decimal(Self.seconds(duration))),"receivers":[\(receivers)]}
      """
  }

  private func json(_ receiver: Receiver) -> String {
    let isCommitted = receiver.state == .committed
    let table = receiver.table.path.isEmpty ? nil : receiver.table.path.joined(separator: ".")
    return """
      {"receiver":\(receiver.number),"place":\(JSONText.quoted(receiver.server?.place ?? receiver.label)),\
      "table":\(Self.json(table)),"status":"\(receiver.state.word)",\
      "rows":\(Self.json(isCommitted ? receiver.rows.map { $0 - receiver.rejectedRows } : 0)),\
      "merged":\(Self.json(receiver.mergedRows)),"rejected":\(receiver.rejectedRows),\
      "checksum":\(Self.json(receiver.checksum?.description)),\
      "seconds":\(Self.decimal(Self.seconds(receiver.duration ?? duration))),\
      "sqlstate":\(Self.json(receiver.failure.map { "\($0.code)" })),\
      "message":\(Self.json(receiver.failure?.message ?? receiver.skipReason))}
      """
  }

  private static func json(_ number: Int?) -> String { number.map(String.init) ?? "null" }
  private static func json(_ text: String?) -> String { text.map(JSONText.quoted) ?? "null" }

  private static func format(rows: Int) -> String { rows == 1 ? "1 row" : "\(rows) rows" }

  static func seconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  /// A number with three digits after the point.
  static func decimal(_ number: Double) -> String {
    let thousandths = Int((number * 1000).rounded())
    let digits = String(thousandths % 1000)
    return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - digits.count) + digits
  }
}

extension Receiver {
  /// Why there was nothing to do.
  var skipReason: String? { if case .skipped(let reason) = state { reason } else { nil } }
}

extension Receiver.State {
  /// One word for machines.
  var word: String {
    switch self {
    case .taking, .failed: "rolled_back"
    case .committed: "committed"
    case .unknown: "unknown"
    case .skipped: "skipped"
    }
  }
}
