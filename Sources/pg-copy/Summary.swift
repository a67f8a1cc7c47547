internal import PGCommandLine
internal import PGKit

/// The last line on stderr: how much was copied, and what became of each receiver.
struct Summary {
  private let text: String

  init(_ transfer: CopyTransfer, _ receivers: [Receiver], duration: Duration) {
    let counts = receivers.map { $0.index.flatMap { transfer.rowCount(ofReceiver: $0) } }
    let rows = transfer.producedRowCount ?? counts.compactMap(\.self).first
    let amount = (rows.map { Self.format(rows: $0) + ", " } ?? "") + "\(transfer.total.bytes) bytes"
    let ends = zip(receivers, counts).map { receiver, count in
      Self.describe(receiver, rows: count)
    }
    text = "\(amount) in \(Self.format(duration)) s; \(ends.joined(separator: "; "))"
  }

  /// Prints it.
  func print() { Diagnostic(program: CopyCommand.program, message: text).print() }

  private static func describe(_ receiver: Receiver, rows: Int?) -> String {
    let amount = rows.map { format(rows: $0) + " " } ?? ""
    return switch receiver.state {
    case .committed where receiver.server == nil: "\(receiver.label): written"
    case .committed: "\(receiver.label): \(amount)committed"
    case .unknown: "\(receiver.label): unknown whether committed"
    case .failed, .taking: "\(receiver.label): nothing stored"
    }
  }

  private static func format(rows: Int) -> String { rows == 1 ? "1 row" : "\(rows) rows" }

  /// Seconds with three digits after the point.
  private static func format(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let digits = String(attoseconds / 1_000_000_000_000_000)
    return "\(seconds)." + String(repeating: "0", count: 3 - min(digits.count, 3)) + digits
  }
}
