internal import PGErrorCodes

/// A server's `log_line_prefix`: where a line has its code.
///
/// Source: PostgreSQL manual, "What to Log". A line fits if the whole setting, or the part before
/// `%q`, fills the line up to its severity. Names that a client chooses may have anything in them, so
/// they are as long as they can be, and the code is the last one that fits.
struct LogPrefix {
  /// What stands for an escape.
  private enum Shape {
    /// `%p`, `%l`, `%P`: digits.
    case digits
    /// `%c`, `%n`, `%Q`, `%v`, `%x`: digits of any base, with dots, slashes and dashes.
    case number
    /// `%m`, `%s`, `%t`.
    case time
    /// `%d`, `%u`, and `%h`, `%L`, `%r`: blanks are possible, but not usual.
    case name
    /// `%a`, and whatever has blanks.
    case text
  }

  private enum Element {
    case literal([UInt8])
    case field(Shape, limit: Int, isPadded: Bool)
    case code(isPadded: Bool)

    var isCode: Bool { if case .code = self { true } else { false } }
    var isName: Bool {
      if case .field(let shape, _, _) = self { shape == .name || shape == .text } else { false }
    }
  }

  /// One try to read a line.
  private struct Trial {
    let head: Piece.Head
    /// Where the severity begins.
    let end: Int
    /// Whether names have no blanks, and times are times.
    let isStrict: Bool
    var tries = 0
    var code: Int?
  }

  /// More tries than an honest line needs, so that a strange one costs no more.
  private static let maximumTries = 2000

  /// `NAMEDATALEN`, less the byte that ends a name: what users, databases and applications have.
  private static let maximumName = 63

  /// How far names reach that contain what looks like a severity.
  private static let reach = 512

  private var elements: [Element] = []
  /// How many elements the lines of background processes have.
  private var shortCount: Int?
  /// Whether a client has a say in what stands before the code.
  private let hasNameBeforeCode: Bool

  /// Reads the setting; `nil` if there is no `%e` in it.
  init?(_ setting: String) {
    let bytes = Array(setting.utf8)
    var elements: [Element] = []
    var place = 0
    func add(_ byte: UInt8) {
      if case .literal(let text) = elements.last {
        elements[elements.count - 1] = .literal(text + [byte])
      } else {
        elements.append(.literal([byte]))
      }
    }
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
      case UInt8(ascii: "q"): shortCount = shortCount ?? elements.count
      case let letter: elements.append(Self.element(letter, isPadded: place > start))
      }
      place += 1
    }
    guard let code = elements.firstIndex(where: \.isCode) else { return nil }
    hasNameBeforeCode = elements[..<code].contains(where: \.isName)
    self.elements = elements
  }

  private static func isPadding(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "-") || ASCIIText.isDigit(byte)
  }

  private static func element(_ letter: UInt8, isPadded: Bool) -> Element {
    let limit = isPadded ? LogFilter.headLimit : maximumName
    switch letter {
    case UInt8(ascii: "e"): return .code(isPadded: isPadded)
    case UInt8(ascii: "p"), UInt8(ascii: "l"), UInt8(ascii: "P"):
      return .field(.digits, limit: limit, isPadded: isPadded)
    case UInt8(ascii: "c"), UInt8(ascii: "n"), UInt8(ascii: "Q"), UInt8(ascii: "v"),
      UInt8(ascii: "x"):
      return .field(.number, limit: limit, isPadded: isPadded)
    case UInt8(ascii: "m"), UInt8(ascii: "s"), UInt8(ascii: "t"):
      return .field(.time, limit: limit, isPadded: isPadded)
    case UInt8(ascii: "u"), UInt8(ascii: "d"):
      return .field(.name, limit: limit, isPadded: isPadded)
    case UInt8(ascii: "h"), UInt8(ascii: "r"), UInt8(ascii: "L"):
      return .field(.name, limit: LogFilter.headLimit, isPadded: isPadded)
    case UInt8(ascii: "a"): return .field(.text, limit: limit, isPadded: isPadded)
    default: return .field(.text, limit: LogFilter.headLimit, isPadded: isPadded)
    }
  }

  // MARK: Reading

  /// Finds the code of a line, and the label before its message.
  func read(_ head: Piece.Head) -> (label: LineLabel?, reading: CodeReading) {
    for isStrict in [true, false] {
      let found = read(head, isStrict)
      if found.label != nil { return found }
    }
    if let label = LineLabel.unknown(in: head) {
      for isStrict in [true, false] {
        if let reading = fit(head, before: label.start, isStrict) { return (label, reading) }
      }
    }
    return (nil, .noCode)
  }

  private func read(_ head: Piece.Head, _ isStrict: Bool) -> (label: LineLabel?, CodeReading) {
    var found: (label: LineLabel, reading: CodeReading)?
    var from = head.start
    while let label = LineLabel.first(in: head, from: from) {
      if found != nil, label.start - head.start > Self.reach { break }
      if let reading = fit(head, before: label.start, isStrict) {
        if let found, found.reading != reading { return (found.label, .undecided) }
        found = found ?? (label, reading)
        // Nothing before the code can have looked like a severity.
        if !hasNameBeforeCode { break }
      }
      from = label.end
    }
    return found.map { ($0.label, $0.reading) } ?? (nil, .noCode)
  }

  /// Where the code is if the severity begins at `end`; `nil` if the line does not fit.
  private func fit(_ head: Piece.Head, before end: Int, _ isStrict: Bool) -> CodeReading? {
    var trial = Trial(head: head, end: end, isStrict: isStrict)
    var fits = match(elements[...], at: head.start, &trial)
    if !fits, let shortCount {
      trial = Trial(head: head, end: end, isStrict: isStrict)
      fits = match(elements[..<shortCount], at: head.start, &trial)
    }
    return fits ? trial.code.map { .code($0) } ?? .noCode : nil
  }

  private func match(_ rest: ArraySlice<Element>, at place: Int, _ trial: inout Trial) -> Bool {
    trial.tries += 1
    guard trial.tries < Self.maximumTries else { return false }
    guard let element = rest.first else { return place == trial.end }
    let others = rest.dropFirst()
    switch element {
    case .literal(let text):
      return Self.has(text, trial, at: place)
        && match(others, at: place + text.count, &trial)
    case .code(let isPadded): return matchCode(isPadded, others, at: place, &trial)
    case .field(let shape, let limit, let isPadded):
      var end = Self.end(of: shape, isPadded, trial, at: place, limit)
      let least = Self.start(of: shape, trial, at: place)
      while end >= least {
        if Self.mayBegin(others.first, trial, at: end), match(others, at: end, &trial) {
          return true
        }
        end -= 1
      }
      return false
    }
  }

  private func matchCode(
    _ isPadded: Bool, _ others: ArraySlice<Element>, at place: Int, _ trial: inout Trial
  ) -> Bool {
    var start = place
    while isPadded, trial.head.has(UInt8(ascii: " "), at: start) { start += 1 }
    guard start + 5 <= trial.end, trial.head.code(at: start) != nil else { return false }
    var end = start + 5
    while true {
      if match(others, at: end, &trial) {
        trial.code = start
        return true
      }
      guard isPadded, trial.head.has(UInt8(ascii: " "), at: end) else { return false }
      end += 1
    }
  }

  /// Behind the longest text at `place` that can stand for an escape.
  private static func end(
    of shape: Shape, _ isPadded: Bool, _ trial: Trial, at place: Int, _ limit: Int
  ) -> Int {
    let end = min(trial.end, place + limit)
    if shape == .text || !trial.isStrict && (shape == .name || shape == .time) { return end }
    var place = place
    if shape == .time {
      guard let zone = startOfZone(trial, at: place) else { return place - 1 }
      place = zone
    }
    while place < end {
      let byte = trial.head.bytes[place]
      guard isPadded && byte == UInt8(ascii: " ") || isPart(byte, of: shape) else { break }
      place += 1
    }
    return place
  }

  /// The least that an escape's text has.
  private static func start(of shape: Shape, _ trial: Trial, at place: Int) -> Int {
    shape == .time && trial.isStrict ? startOfZone(trial, at: place) ?? place : place
  }

  private static func isPart(_ byte: UInt8, of shape: Shape) -> Bool {
    switch shape {
    case .digits: ASCIIText.isDigit(byte)
    case .number:
      ASCIIText.isDigit(byte) || (byte | 0x20) &- 0x61 < 6 || byte &- 0x2D < 3
    case .time: byte > 0x20 && byte != UInt8(ascii: "[")
    case .name: byte != 0x20
    case .text: true
    }
  }

  /// Behind `2026-11-21 13:18:47` or `2026-11-21 13:18:47.123`, and a blank.
  private static func startOfZone(_ trial: Trial, at place: Int) -> Int? {
    let pattern: StaticString = "0000-00-00 00:00:00"
    guard place + 20 < trial.end else { return nil }
    for offset in 0..<19 {
      let byte = trial.head.bytes[place + offset]
      let expected = pattern.utf8Start[offset]
      guard expected == 0x30 ? ASCIIText.isDigit(byte) : byte == expected else { return nil }
    }
    var end = place + 19
    if trial.head.has(UInt8(ascii: "."), at: end) {
      end += 1
      while end < trial.end, ASCIIText.isDigit(trial.head.bytes[end]) { end += 1 }
    }
    return trial.head.has(UInt8(ascii: " "), at: end) ? end + 1 : nil
  }

  private static func mayBegin(_ element: Element?, _ trial: Trial, at place: Int) -> Bool {
    guard case .literal(let text) = element else { return true }
    return trial.head.has(text[0], at: place)
  }

  private static func has(_ text: [UInt8], _ trial: Trial, at place: Int) -> Bool {
    guard place + text.count <= trial.end else { return false }
    for index in text.indices where trial.head.bytes[place + index] != text[index] { return false }
    return true
  }
}
