internal import PGCommandLine
internal import PGKit

/// What has come of the statements so far.
struct Tally {
  private(set) var statements = 0
  private(set) var failures = 0
  /// How many failed only because their transaction had failed.
  private(set) var skippedStatements = 0
  private(set) var repetitions = 0
  private(set) var changedRows = 0
  /// The worst that has happened.
  private(set) var worst = ExitStatus.ok

  mutating func succeeded() { statements += 1 }

  mutating func failed(_ status: ExitStatus) {
    statements += 1
    failures += 1
    reached(status)
  }

  /// Notes a status that is not a whole statement's.
  mutating func reached(_ status: ExitStatus) {
    if Self.gravity(status) > Self.gravity(worst) { worst = status }
  }

  mutating func skipped(_ status: ExitStatus) {
    statements += 1
    skippedStatements += 1
    reached(status)
  }

  mutating func repeated() { repetitions += 1 }

  mutating func note(_ tag: CommandTag) {
    guard ["INSERT", "UPDATE", "DELETE", "MERGE"].contains(tag.name) else { return }
    changedRows = changedRows.addingRows(tag.rowCount ?? 0)
  }

  /// Notes the rows that a COPY has stored.
  mutating func noteStored(_ tag: CommandTag?) {
    changedRows = changedRows.addingRows(tag?.rowCount ?? 0)
  }

  /// Notes what came of the rows of a file.
  mutating func add(_ each: EachLoad) {
    changedRows += each.changedRows
    repetitions += each.repetitions
  }

  /// Forgets what was changed, because it was rolled back.
  mutating func takeBackChanges() { changedRows = 0 }

  /// Adds what came of an attempt that is done again.
  mutating func add(repetitionsOf other: Tally) { repetitions += other.repetitions + 1 }

  /// Of two statuses the program ends with the graver.
  private static func gravity(_ status: ExitStatus) -> Int {
    [.ok, .negative, .refused, .localFailure, .usage, .deadline, .connection].firstIndex(of: status)
      ?? 0
  }
}
