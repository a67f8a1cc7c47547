internal import ArgumentParser
internal import PGErrorCodes

/// What a shell offers for an operand: codes, conditions and names that begin as the word does, with
/// their causes where the shell can show them.
enum CodeCompletion {
  static func words(_ words: [String], _ index: Int, _ beginning: String) -> [String] {
    let word = beginning.isEmpty && words.indices.contains(index) ? words[index] : beginning
    return SQLState.definitions.flatMap { definition in
      [definition.code.description, definition.condition, definition.name].compactMap { $0 }.filter
      {
        $0.lowercased().hasPrefix(word.lowercased())
      }.map { described($0, definition) }
    }
  }

  private static func described(_ word: String, _ definition: SQLStateDefinition) -> String {
    let summary = definition.advice?.cause ?? definition.summary
    return switch CompletionShell.requesting {
    case .some(.zsh): "\(word):\(summary)"
    case .some(.fish): "\(word)\t\(summary)"
    default: word
    }
  }
}
