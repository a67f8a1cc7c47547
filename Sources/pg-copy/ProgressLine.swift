internal import PGCommandLine

/// How far a run is, at one moment.
struct ProgressState {
  /// What the run is at.
  enum Phase: String {
    case waiting, connecting, preparing, copying, merging, verifying, committing
  }

  var phase = Phase.connecting
  /// What the run waits for, where nothing moves meanwhile.
  var awaited: String?
  var rows = 0
  var bytes = 0
  /// How many rows the source's server estimates.
  var expectedRows: Int?
  /// For how long the data has been moving.
  var elapsed = Duration.zero
  /// For how long the source's snapshot has been held.
  var snapshotAge: Duration?

  /// How much of what is expected is there.
  var share: Double? {
    guard let expectedRows, expectedRows > 0 else { return nil }
    return min(Double(rows) / Double(expectedRows), 1)
  }

  /// How long the rest will take at the speed so far; an estimate, as the number of rows is one.
  var secondsLeft: Double? {
    guard let expectedRows, rows > 0, expectedRows >= rows else { return nil }
    return Summary.seconds(elapsed) / Double(rows) * Double(expectedRows - rows)
  }

  var speed: String {
    let megabytes = Double(bytes) / max(Summary.seconds(elapsed), 0.001) / 1e6
    return "\(Summary.decimal(megabytes)) MB/s"
  }

  /// All of it in words, for one line of a log.
  var words: String {
    var parts = ["\(phase): \(rows) rows", "\(bytes) bytes", speed]
    if let secondsLeft { parts.append("about \(Self.short(secondsLeft)) left") }
    if let snapshotAge {
      parts.append("snapshot held for \(Self.short(Summary.seconds(snapshotAge)))")
    }
    if let awaited { parts.append("waiting for \(awaited)") }
    return parts.joined(separator: ", ")
  }

  /// A time as people say it: `42 s`, `3 min`, `5 h`.
  static func short(_ seconds: Double) -> String {
    let whole = Int(min(max(seconds, 0), 1e9).rounded())
    switch whole {
    case ..<120: return "\(whole) s"
    case ..<7200: return "\(whole / 60) min"
    default: return "\(whole / 3600) h"
    }
  }
}

/// The line that a terminal shows, as long as fits.
struct ProgressLine {
  private static let barWidths = 4...24
  private let state: ProgressState

  init(_ state: ProgressState) { self.state = state }

  /// The line in ASCII, no longer than `width`.
  ///
  /// Where there is little room, what is less important is left out first.
  func text(width: Int) -> String {
    let percent = state.share.map { "about \(Int($0 * 100)) %" }
    let left = state.secondsLeft.map { "about \(ProgressState.short($0)) left" }
    let rows = "\(state.rows) rows"
    let amount = "\(Summary.decimal(Double(state.bytes) / 1e6)) MB"
    let choices = [
      [percent, rows, amount, state.speed, left], [percent, rows, amount, left],
      [percent, rows, left], [percent, rows], [percent ?? rows],
    ]
    for words in choices {
      let line = words.compactMap { $0 }.joined(separator: ", ")
      if line.utf8.count <= width { return bar(width - line.utf8.count) + line }
    }
    return String(rows.prefix(max(width, 0)))
  }

  /// A bar in the room that the words leave, if there is enough of it.
  private func bar(_ room: Int) -> String {
    guard let share = state.share else { return "" }
    let width = min(room - 3, Self.barWidths.upperBound)
    guard width >= Self.barWidths.lowerBound else { return "" }
    let full = Int(share * Double(width))
    return "[" + String(repeating: "#", count: full)
      + String(repeating: ".", count: width - full) + "] "
  }
}
