/// How one option is read from text, written as text and carried over between two sets of options.
///
/// `parse` answers `nil` when the text was taken, else what is wrong with it, in words that never
/// repeat the text: what was meant for one option may be part of somebody's password.
struct OptionAccess: Sendable {
  // Not key paths: making one takes the runtime some microseconds, and half a hundred of them took a
  // tenth of a program's whole run.
  typealias Getter<Value> = @Sendable (ConnectionOptions) -> Value?
  typealias Setter<Value> = @Sendable (inout ConnectionOptions, Value?) -> Void

  let parse: @Sendable (String, inout ConnectionOptions) -> String?
  let format: @Sendable (ConnectionOptions) -> String?
  let copy: @Sendable (ConnectionOptions, inout ConnectionOptions) -> Void
  /// Whether an empty text says something else than leaving the option out.
  let refusesEmpty: Bool

  private init<Value>(
    _ get: @escaping Getter<Value>, _ set: @escaping Setter<Value>,
    allowing allowed: (@Sendable () -> String)? = nil,
    parse: @escaping @Sendable (String) -> Value?,
    format: @escaping @Sendable (Value) -> String?
  ) {
    self.parse = { text, options in
      guard let value = parse(text) else { return allowed.map { "allowed is \($0())" } }
      set(&options, value)
      return nil
    }
    self.format = { get($0).flatMap(format) }
    copy = { set(&$1, get($0)) }
    refusesEmpty = allowed != nil
  }
}

extension OptionAccess {
  /// Any text.
  static func text(
    _ get: @escaping Getter<String>, _ set: @escaping Setter<String>
  ) -> OptionAccess {
    OptionAccess(get, set, parse: { $0 }, format: { $0 })
  }

  /// One of a few words, in any letter case.
  static func word(
    _ get: @escaping Getter<String>, _ set: @escaping Setter<String>, of words: [String]
  ) -> OptionAccess {
    OptionAccess(
      get, set, allowing: { listed(words) },
      parse: { text in words.first { $0 == text.lowercased() } }, format: { $0 })
  }

  /// One of an enumeration's words, in any letter case.
  static func choice<Choice>(
    _ get: @escaping Getter<Choice>, _ set: @escaping Setter<Choice>
  ) -> OptionAccess
  where Choice: RawRepresentable<String> & CaseIterable & Sendable {
    OptionAccess(
      get, set, allowing: { listed(Choice.allCases.map { $0.rawValue }) },
      parse: { text in
        Choice.allCases.first { $0.rawValue.lowercased() == text.lowercased() }
      },
      format: { $0.rawValue })
  }

  /// A whole number within a range; blanks around it are allowed.
  static func number(
    _ get: @escaping Getter<Int>, _ set: @escaping Setter<Int>, _ range: ClosedRange<Int>
  ) -> OptionAccess {
    OptionAccess(
      get, set, allowing: { "a whole number from \(range.lowerBound) to \(range.upperBound)" },
      parse: { wholeNumber($0).flatMap { range.contains($0) ? $0 : nil } },
      format: { String($0) })
  }

  /// Yes or no, written as libpq writes it: one word for each.
  static func flag(
    _ get: @escaping Getter<Bool>, _ set: @escaping Setter<Bool>,
    no: String = "0", yes: String = "1"
  ) -> OptionAccess {
    OptionAccess(
      get, set, allowing: { listed([no, yes]) },
      parse: { text in
        switch text.lowercased() {
        case no: false
        case yes: true
        default: nil
        }
      },
      format: { $0 ? yes : no })
  }

  /// A list with commas between its elements, which may be empty.
  static func list(
    _ get: @escaping Getter<[String]>, _ set: @escaping Setter<[String]>
  ) -> OptionAccess {
    OptionAccess(
      get, set,
      parse: { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) },
      format: { $0.isEmpty ? nil : $0.joined(separator: ",") })
  }

  /// A list of ports; an empty element is the default port.
  static func ports(
    _ get: @escaping Getter<[Int]>, _ set: @escaping Setter<[Int]>
  ) -> OptionAccess {
    let range = 1...65535
    return OptionAccess(
      get, set, allowing: { "a number from 1 to 65535, or a list of them with commas" },
      parse: { text in
        let elements = text.split(separator: ",", omittingEmptySubsequences: false)
        let ports = elements.compactMap { element in
          element.isEmpty ? ConnectionOptions.defaultPort : wholeNumber(element)
        }
        return ports.count == elements.count && ports.allSatisfy(range.contains) ? ports : nil
      },
      format: { $0.isEmpty ? nil : $0.map(String.init).joined(separator: ",") })
  }

  private static func listed(_ words: [String]) -> String {
    words.map { "\"\($0)\"" }.joined(separator: ", ")
  }

  private static func wholeNumber(_ text: some StringProtocol) -> Int? {
    let isBlank: (Character) -> Bool = { $0.isASCII && $0.isWhitespace }
    let start = text.drop(while: isBlank)
    let end = start.lastIndex { !isBlank($0) }
    return end.flatMap { Int(start[...$0]) }
  }
}

extension OptionAccess {
  /// An option of libpq that PGKit may leave aside without making anything less safe.
  static let ignored = OptionAccess(parse: { _, _ in nil })

  /// An option whose harmless words may be left aside; anything else is refused with the reason.
  static func ignored(only words: [String], because reason: String) -> OptionAccess {
    OptionAccess(parse: { text, _ in
      words.contains(text.lowercased()) ? nil : "\(reason); allowed is \(listed(words))"
    })
  }

  /// An option that asks for a protection which PGKit cannot give.
  static func refused(because reason: String) -> OptionAccess {
    OptionAccess(parse: { text, _ in text.isEmpty ? nil : reason })
  }

  /// An older spelling that sets another option.
  static func translated(
    to set: @escaping Setter<SSLMode>, _ translation: [String: SSLMode]
  ) -> OptionAccess {
    OptionAccess(parse: { text, options in
      guard let mode = translation[text.lowercased()] else {
        return "allowed is \(listed(translation.keys.sorted()))"
      }
      set(&options, mode)
      return nil
    })
  }

  private init(parse: @escaping @Sendable (String, inout ConnectionOptions) -> String?) {
    self.parse = parse
    format = { _ in nil }
    copy = { _, _ in }
    refusesEmpty = false
  }
}
