internal import PGErrorCodes

/// A server's `log_line_prefix`: where a line has its code.
///
/// Source: PostgreSQL manual, "What to Log". A line fits if the whole setting, or the part before
/// `%q`, fills the line up to its severity; or else, if the setting was not given to its end, if the
/// line begins with all that it has as far as `%e` and what follows. Names that a client chooses may
/// have anything in them, so they are as long as they can be, and the code is the last one that fits.
final class LogPrefix {
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

  /// A part of the setting; plain numbers, because every line passes by them all.
  private enum Element {
    /// Bytes of ``literals``.
    case literal(start: Int, count: Int)
    case field(Shape, limit: Int, isPadded: Bool)
    case code(isPadded: Bool)

    var isCode: Bool { if case .code = self { true } else { false } }
    var isName: Bool {
      if case .field(let shape, _, _) = self { shape == .name || shape == .text } else { false }
    }
  }

  /// How a line is read.
  private enum Mode {
    /// Names have no blanks, and times are times.
    case strict
    /// Names and times may have anything in them.
    case lenient
    /// As strict, but more may follow behind the code.
    case begun
  }

  /// One try to read a line.
  private struct Trial {
    let head: Piece.Head
    /// Where the severity begins.
    let end: Int
    let mode: Mode
    /// How many of the elements are there.
    let elementCount: Int
    var tries = 0
    var code: Int?
  }

  /// More tries than an honest line needs, so that a strange one costs no more.
  private static let maximumTries = 2000

  /// `NAMEDATALEN`, less the byte that ends a name: what users, databases and applications have.
  private static let maximumName = 63

  /// How far names reach that contain what looks like a severity.
  private static let reach = 512

  private let elements: [Element]
  private let literals: [UInt8]
  /// How many elements the lines of background processes have.
  private let shortCount: Int?
  /// The kinds of every byte, at hand for every line.
  private let kinds = ByteKinds.table
  /// How many elements there are as far as the code, and the literal that follows it.
  private let begunCount: Int
  /// Whether a client has a say in what stands before the code.
  private let hasNameBeforeCode: Bool

  /// Reads the setting; `nil` if there is no `%e` in it.
  init?(_ setting: String) {
    let bytes = Array(setting.utf8)
    var elements: [Element] = []
    var literals: [UInt8] = []
    var shortCount: Int?
    var place = 0
    func add(_ byte: UInt8) {
      literals.append(byte)
      if case .literal(let start, let count) = elements.last {
        elements[elements.count - 1] = .literal(start: start, count: count + 1)
      } else {
        elements.append(.literal(start: literals.count - 1, count: 1))
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
    begunCount = min(elements.count, code + 2)
    self.elements = elements
    self.literals = literals
    self.shortCount = shortCount
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
    var found = read(head, .strict)
    if found.label == nil { found = read(head, .lenient) }
    if found.label == nil { found = read(head, .begun) }
    guard found.label == nil, let label = LineLabel.unknown(in: head) else { return found }
    let reading =
      fit(head, before: label.start, .strict) ?? fit(head, before: label.start, .lenient)
      ?? fit(head, before: label.start, .begun)
    return reading.map { (label, $0) } ?? (nil, .noCode)
  }

  private func read(_ head: Piece.Head, _ mode: Mode) -> (label: LineLabel?, CodeReading) {
    var found: (label: LineLabel, reading: CodeReading)?
    var from = head.start
    while let label = LineLabel.first(in: head, from: from) {
      if found != nil, label.start - head.start > Self.reach { break }
      if let reading = fit(head, before: label.start, mode) {
        if let found, found.reading != reading { return (found.label, .undecided) }
        found = found ?? (label, reading)
        // Nothing before the code can have looked like a severity.
        if !hasNameBeforeCode || mode == .begun { break }
      }
      from = label.end
    }
    return found.map { ($0.label, $0.reading) } ?? (nil, .noCode)
  }

  /// Where the code is if the severity begins at `end`; `nil` if the line does not fit.
  private func fit(_ head: Piece.Head, before end: Int, _ mode: Mode) -> CodeReading? {
    if mode == .begun { return fit(head, before: end, mode, begunCount) }
    return fit(head, before: end, mode, elements.count)
      ?? shortCount.flatMap { fit(head, before: end, mode, $0) }
  }

  private func fit(
    _ head: Piece.Head, before end: Int, _ mode: Mode, _ count: Int
  ) -> CodeReading? {
    var trial = Trial(head: head, end: end, mode: mode, elementCount: count)
    guard mode == .begun || mayEnd(trial), match(0, at: head.start, &trial) else { return nil }
    return trial.code.map { .code($0) } ?? .noCode
  }

  /// Whether the line ends, before its severity, as the elements do: those of a fixed length are
  /// compared, which spares most lines that do not fit the search.
  private func mayEnd(_ trial: Trial) -> Bool {
    var place = trial.end
    for index in (0..<trial.elementCount).reversed() {
      switch elements[index] {
      case .literal(let start, let count):
        place -= count
        guard place >= trial.head.start, has(start, count, trial, at: place) else { return false }
      case .code(isPadded: false):
        place -= 5
        if trial.head.code(at: place) == nil { return false }
      case .code, .field: return true
      }
    }
    return place == trial.head.start
  }

  /// Whether the elements from `index` on fill the line from `place` to the severity.
  private func match(_ index: Int, at place: Int, _ trial: inout Trial) -> Bool {
    trial.tries += 1
    guard trial.tries < Self.maximumTries else { return false }
    guard index < trial.elementCount else {
      return place == trial.end || trial.mode == .begun && place < trial.end
    }
    switch elements[index] {
    case .literal(let start, let count):
      return has(start, count, trial, at: place) && match(index + 1, at: place + count, &trial)
    case .code(let isPadded): return matchCode(isPadded, index + 1, at: place, &trial)
    case .field(let shape, let limit, let isPadded):
      let least = start(of: shape, trial, at: place)
      guard least <= trial.end else { return false }
      var end = end(of: shape, isPadded, trial, at: place, from: least, limit)
      while end >= least {
        if mayBegin(index + 1, trial, at: end), match(index + 1, at: end, &trial) { return true }
        end -= 1
      }
      return false
    }
  }

  private func matchCode(
    _ isPadded: Bool, _ next: Int, at place: Int, _ trial: inout Trial
  ) -> Bool {
    var start = place
    while isPadded, trial.head.has(UInt8(ascii: " "), at: start) { start += 1 }
    guard start + 5 <= trial.end, trial.head.code(at: start) != nil else { return false }
    var end = start + 5
    while true {
      if match(next, at: end, &trial) {
        trial.code = start
        return true
      }
      guard isPadded, trial.head.has(UInt8(ascii: " "), at: end) else { return false }
      end += 1
    }
  }

  /// Behind the longest text at `place` that can stand for an escape; before `least` if there is none.
  private func end(
    of shape: Shape, _ isPadded: Bool, _ trial: Trial, at place: Int, from least: Int, _ limit: Int
  ) -> Int {
    let end = min(trial.end, place + limit)
    if shape == .text || trial.mode == .lenient && (shape == .name || shape == .time) { return end }
    let kind = Self.kind(of: shape)
    var place = least
    while place < end {
      let byte = trial.head.bytes[place]
      guard isPadded && byte == UInt8(ascii: " ") || kinds[Int(byte)].contains(kind) else {
        break
      }
      place += 1
    }
    return place
  }

  /// Behind the least that an escape's text has; out of reach if it has not even that.
  private func start(of shape: Shape, _ trial: Trial, at place: Int) -> Int {
    shape == .time && trial.mode != .lenient ? startOfZone(trial, at: place) ?? .max : place
  }

  private static func kind(of shape: Shape) -> ByteKinds {
    switch shape {
    case .digits: .digit
    case .number: .number
    case .time: .zone
    case .name, .text: .mark
    }
  }

  /// Behind `2026-11-21 13:18:47` or `2026-11-21 13:18:47.123`, and a blank.
  private func startOfZone(_ trial: Trial, at place: Int) -> Int? {
    let pattern: StaticString = "0000-00-00 00:00:00"
    guard place + 20 < trial.end else { return nil }
    for offset in 0..<19 {
      let byte = trial.head.bytes[place + offset]
      let expected = pattern.utf8Start[offset]
      guard expected == 0x30 ? kinds[Int(byte)].contains(.digit) : byte == expected else {
        return nil
      }
    }
    var end = place + 19
    if trial.head.has(UInt8(ascii: "."), at: end) {
      end += 1
      while end < trial.end, kinds[Int(trial.head.bytes[end])].contains(.digit) { end += 1 }
    }
    return trial.head.has(UInt8(ascii: " "), at: end) ? end + 1 : nil
  }

  private func mayBegin(_ index: Int, _ trial: Trial, at place: Int) -> Bool {
    guard index < trial.elementCount else {
      return place == trial.end || trial.mode == .begun
    }
    guard case .literal(let start, _) = elements[index] else { return true }
    return trial.head.has(literals[start], at: place)
  }

  private func has(_ start: Int, _ count: Int, _ trial: Trial, at place: Int) -> Bool {
    guard place + count <= trial.end else { return false }
    for offset in 0..<count where trial.head.bytes[place + offset] != literals[start + offset] {
      return false
    }
    return true
  }
}
