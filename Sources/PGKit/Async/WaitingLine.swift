/// Tasks that wait for something, first come, first served; each can be sent away.
struct WaitingLine<Wish, Answer: Sendable> {
  private struct Place {
    let number: Int
    let wish: Wish
    let continuation: CheckedContinuation<Answer, Never>
  }

  private var places: [Place] = []
  private var last = 0

  var isEmpty: Bool { places.isEmpty }
  var count: Int { places.count }

  /// A number for one who is about to wait.
  mutating func draw() -> Int {
    last &+= 1
    return last
  }

  /// One comes, and is last.
  mutating func append(
    _ number: Int, _ wish: Wish, _ continuation: CheckedContinuation<Answer, Never>
  ) {
    places.append(Place(number: number, wish: wish, continuation: continuation))
  }

  /// Ends the wait of the first whose wish is such; whether there was one.
  @discardableResult
  mutating func callFirst(_ answer: Answer, where isSuch: (Wish) -> Bool = { _ in true }) -> Bool {
    guard let index = places.firstIndex(where: { isSuch($0.wish) }) else { return false }
    places.remove(at: index).continuation.resume(returning: answer)
    return true
  }

  /// Ends the wait of one, if it still waits.
  mutating func call(_ number: Int, _ answer: Answer) {
    guard let index = places.firstIndex(where: { $0.number == number }) else { return }
    places.remove(at: index).continuation.resume(returning: answer)
  }

  /// Ends everybody's wait.
  mutating func callAll(_ answer: Answer) {
    let all = places
    places = []
    for place in all { place.continuation.resume(returning: answer) }
  }
}
