internal import PGErrorCodes

/// A server's `log_line_prefix`, as far as its `%e`: where a line has its code.
///
/// Source: PostgreSQL manual, "What to Log". What other escapes stand for may be any text; the
/// literals between them lead to the code.
struct LogPrefix {
  private enum Element: Equatable {
    case text([UInt8])
    case anything
    case code(isPadded: Bool)

    var isCode: Bool { if case .code = self { true } else { false } }
  }

  /// More tries than an honest line needs, so that a strange one costs no more.
  private static let maximumTries = 2000

  private var elements: [Element] = []

  /// Reads the setting; `nil` if there is no `%e` in it.
  init?(_ setting: String) {
    let bytes = Array(setting.utf8)
    var place = 0
    while place < bytes.count {
      guard bytes[place] == UInt8(ascii: "%") else {
        add(bytes[place])
        place += 1
        continue
      }
      let start = place + 1
      place = start
      while place < bytes.count, Self.isPadding(bytes[place]) { place += 1 }
      guard place < bytes.count else { break }
      switch bytes[place] {
      case UInt8(ascii: "%"): add(UInt8(ascii: "%"))
      case UInt8(ascii: "q"): break
      case UInt8(ascii: "e"): elements.append(.code(isPadded: place > start))
      default: if elements.last != .anything { elements.append(.anything) }
      }
      place += 1
    }
    guard let code = elements.firstIndex(where: \.isCode) else { return nil }
    // Behind the code, only the literal that follows it is compared.
    elements = Array(elements.prefix(code + 2))
    if elements.last == .anything { elements.removeLast() }
  }

  private static func isPadding(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "-") || ASCIIText.isDigit(byte)
  }

  private mutating func add(_ byte: UInt8) {
    if case .text(let text) = elements.last {
      elements[elements.count - 1] = .text(text + [byte])
    } else {
      elements.append(.text([byte]))
    }
  }

  /// Where the line's code is.
  func place(in head: Piece.Head) -> Int? {
    var tries = 0
    return match(0, head, at: head.start, &tries)
  }

  private func match(
    _ index: Int, _ head: Piece.Head, at place: Int, _ tries: inout Int
  ) -> Int? {
    tries += 1
    guard index < elements.count, tries < Self.maximumTries else { return nil }
    switch elements[index] {
    case .text(let text):
      guard Self.has(text, head, at: place) else { return nil }
      return match(index + 1, head, at: place + text.count, &tries)
    case .anything:
      var end = place
      while end < head.end, tries < Self.maximumTries {
        if Self.mayBegin(elements[index + 1], head, at: end),
          let found = match(index + 1, head, at: end, &tries)
        {
          return found
        }
        end += 1
      }
      return nil
    case .code(let isPadded):
      var start = place
      while isPadded, head.has(UInt8(ascii: " "), at: start) { start += 1 }
      guard head.code(at: start) != nil else { return nil }
      var end = start + 5
      guard index + 1 < elements.count, case .text(let text) = elements[index + 1] else {
        return start
      }
      while isPadded, !Self.has(text, head, at: end), head.has(UInt8(ascii: " "), at: end) {
        end += 1
      }
      return Self.has(text, head, at: end) ? start : nil
    }
  }

  private static func mayBegin(_ element: Element, _ head: Piece.Head, at place: Int) -> Bool {
    guard case .text(let text) = element else { return true }
    return head.bytes[place] == text[0]
  }

  private static func has(_ text: [UInt8], _ head: Piece.Head, at place: Int) -> Bool {
    guard place + text.count <= head.end else { return false }
    for index in text.indices where head.bytes[place + index] != text[index] { return false }
    return true
  }
}
