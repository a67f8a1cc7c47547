/// How one option is read from text, written as text and carried over between two sets of options.
///
/// `parse` answers `nil` when the text was taken, else what is wrong with it, in words that never
/// repeat the text: what was meant for one option may be part of somebody's password.
struct OptionAccess: Sendable {
  typealias Path<Value> = any WritableKeyPath<ConnectionOptions, Value?> & Sendable

  let parse: @Sendable (String, inout ConnectionOptions) -> String?
  let format: @Sendable (ConnectionOptions) -> String?
  let copy: @Sendable (ConnectionOptions, inout ConnectionOptions) -> Void
  /// Whether an empty text says something else than leaving the option out.
  let refusesEmpty: Bool

  private init<Value>(
    _ path: Path<Value>, allowing allowed: String? = nil,
    parse: @escaping @Sendable (String) -> Value?, format: @escaping @Sendable (Value) -> String?
  ) {
    self.parse = { text, options in
      guard let value = parse(text) else { return allowed.map { "allowed is \($0)" } }
      options[keyPath: path] = value
      return nil
    }
    self.format = { $0[keyPath: path].flatMap(format) }
    copy = { $1[keyPath: path] = $0[keyPath: path] }
    refusesEmpty = allowed != nil
  }
}

extension OptionAccess {
  /// Any text.
  static func text(_ path: Path<String>) -> OptionAccess {
    OptionAccess(path, parse: { $0 }, format: { $0 })
  }

  /// One of a few words, in any letter case.
  static func word(
    _ path: Path<String>, of words: [String]
  ) -> OptionAccess {
    OptionAccess(
      path, allowing: listed(words),
      parse: { text in words.first { $0 == text.lowercased() } }, format: { $0 })
  }

  /// One of an enumeration's words, in any letter case.
  static func choice<Choice>(
    _ path: Path<Choice>
  ) -> OptionAccess
  where Choice: RawRepresentable<String> & CaseIterable & Sendable {
    OptionAccess(
      path, allowing: listed(Choice.allCases.map(\.rawValue)),
      parse: { text in
        Choice.allCases.first { $0.rawValue.lowercased() == text.lowercased() }
      },
      format: \.rawValue)
  }

  /// A whole number within a range; blanks around it are allowed.
  static func number(
    _ path: Path<Int>, _ range: ClosedRange<Int>
  ) -> OptionAccess {
    OptionAccess(
      path, allowing: "a whole number from \(range.lowerBound) to \(range.upperBound)",
      parse: { wholeNumber($0).flatMap { range.contains($0) ? $0 : nil } },
      format: { String($0) })
  }

  /// Yes or no, written as libpq writes it: one word for each.
  static func flag(
    _ path: Path<Bool>,
    no: String = "0", yes: String = "1"
  ) -> OptionAccess {
    OptionAccess(
      path, allowing: listed([no, yes]),
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
  static func list(_ path: Path<[String]>)
    -> OptionAccess
  {
    OptionAccess(
      path,
      parse: { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) },
      format: { $0.isEmpty ? nil : $0.joined(separator: ",") })
  }

  /// A list of ports; an empty element is the default port.
  static func ports(_ path: Path<[Int]>) -> OptionAccess {
    let range = 1...65535
    return OptionAccess(
      path, allowing: "a number from 1 to 65535, or a list of them with commas",
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
    to path: Path<SSLMode>,
    _ translation: [String: SSLMode]
  ) -> OptionAccess {
    OptionAccess(parse: { text, options in
      guard let mode = translation[text.lowercased()] else {
        return "allowed is \(listed(translation.keys.sorted()))"
      }
      options[keyPath: path] = mode
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
