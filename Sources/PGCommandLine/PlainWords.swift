/// The words of a command line that is read without the parser.
///
/// Only the plainest are; whatever else is met makes the whole command line the parser's, mistakes among
/// it, so that there is one place where they are told.
public struct PlainWords {
  /// The words that have not been read.
  public private(set) var rest: ArraySlice<String>

  /// Begins with the first of some words.
  public init(_ words: some Sequence<String>) { rest = ArraySlice(Array(words)) }

  /// Reads a word; `nil` if there is none left.
  public mutating func next() -> String? { rest.popFirst() }

  /// Reads the value of an option; `nil` if there is none, or one that looks like an option itself, which
  /// is the parser's to judge.
  public mutating func value() -> String? {
    guard let value = rest.popFirst(), !value.hasPrefix("-") else { return nil }
    return value
  }
}
