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
