/// Where a line has its code.
enum CodeReading: Equatable {
  /// It begins there.
  case code(Int)
  /// The line has none.
  case noCode
  /// It has one, but several places could be it.
  case undecided
}
