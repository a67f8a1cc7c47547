/// A queue that drops its oldest half when what is in it becomes too large.
///
/// By halves, because a full queue that dropped one for each that comes would move all others each
/// time.
struct BoundedQueue<Element> {
  /// What an element costs besides its bytes, roughly.
  private static var overhead: Int { 64 }

  private let limit: Int
  private let size: (Element) -> Int
  private var elements: [Element] = []
  private var total = 0
  /// How many were dropped since somebody asked.
  private var dropped = 0

  /// - Parameters:
  ///   - limit: The most bytes that may wait.
  ///   - size: How many an element has.
  init(limit: Int, size: @escaping (Element) -> Int) {
    self.limit = limit
    self.size = size
  }

  var isEmpty: Bool { elements.isEmpty }
  var count: Int { elements.count }

  /// Adds an element; the newest always stays.
  mutating func append(_ element: Element) {
    let cost = size(element) + Self.overhead
    while total + cost > limit, !elements.isEmpty { dropOldest() }
    elements.append(element)
    total += cost
  }

  /// Hands everything over.
  mutating func takeAll() -> [Element] {
    defer { (elements, total) = ([], 0) }
    return elements
  }

  /// How many were dropped since this was last asked.
  mutating func takeDropped() -> Int {
    defer { dropped = 0 }
    return dropped
  }

  private mutating func dropOldest() {
    let count = (elements.count + 1) / 2
    elements.removeFirst(count)
    dropped += count
    total = elements.reduce(0) { $0 + size($1) + Self.overhead }
  }
}
