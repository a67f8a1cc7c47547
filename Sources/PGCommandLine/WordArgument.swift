public import ArgumentParser

/// An enumeration whose words an option takes.
///
/// The parser would find out the words by itself, but it does so in every run, with key paths and
/// reflection: that costs more than opening a connection to a socket.
public protocol WordArgument: ExpressibleByArgument, RawRepresentable, CaseIterable
where RawValue == String {}

extension WordArgument {
  /// Reads one of the words.
  public init?(argument: String) { self.init(rawValue: argument) }

  /// How help shows a default.
  public var defaultValueDescription: String { rawValue }

  /// The words.
  public static var allValueStrings: [String] { allCases.map { $0.rawValue } }

  /// The words speak for themselves.
  public static var allValueDescriptions: [String: String] { [:] }

  /// What a shell offers.
  public static var defaultCompletionKind: CompletionKind { .list(allValueStrings) }
}

// An option of a type of its own costs every run of a program: the parser asks the runtime for each type
// whether it is one of this and one of that, and each answer takes a look at everything in the program. A
// program that is started over and over keeps such options as texts, and reads them here.

extension ExpressibleByArgument {
  /// Reads the text of an option, which ``check(_:_:)`` has looked at.
  public static func read(_ text: String?) -> Self? { text.flatMap { Self(argument: $0) } }

  /// Makes sure that the text of an option is one of these.
  ///
  /// - Parameter option: The option's name: `--format`.
  /// - Throws: `ValidationError`, which is status 64.
  public static func check(_ text: String?, _ option: String) throws {
    guard let text, Self(argument: text) == nil else { return }
    let words =
      allValueStrings.isEmpty ? "" : ": it is one of " + allValueStrings.joined(separator: ", ")
    throw ValidationError("The value '\(text)' is invalid for '\(option)'\(words)")
  }
}
