/// How much memory several holders may take together.
final class MemoryBudget {
  /// The most, in bytes.
  let limit: Int
  private var used = 0

  init(limit: Int) { self.limit = limit }

  /// Takes so many bytes, if there are as many left.
  func take(_ count: Int) -> Bool {
    guard count <= limit - used else { return false }
    used += count
    return true
  }

  /// Gives back what was taken.
  func giveBack(_ count: Int) { used -= count }
}
