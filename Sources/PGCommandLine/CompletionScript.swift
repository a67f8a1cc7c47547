public import ArgumentParser

/// What the parser writes for a shell, made true of programs whose first operand may be any word.
///
/// Such a program looks for its verbs before the parser reads a line, and takes every other word, `help`
/// too, for an operand. The parser's script knows verbs or operands: zsh refuses one that has both, and
/// bash and fish never come to verbs behind operands that repeat.
struct CompletionScript {
  /// What asks the parser for a script.
  static let flag = "--generate-completion-script"

  let program: String
  /// The words that may stand in place of the first operand.
  let verbs: [String]

  /// The script for the shell that `text`, the parser's, was written for.
  func mended(_ text: String) -> String {
    var isInside = false
    let mend = text.hasPrefix("#compdef") ? forZsh : text.hasPrefix("#!") ? forBash : forFish
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      // The function of the program itself, not those of its verbs.
      isInside = line == "_\(program)() {" || isInside && line != "}"
      return mend(String(line), isInside)
    }
    return lines.compactMap(\.self).joined(separator: "\n")
  }

  private func forBash(_ line: String, isInside: Bool) -> String? {
    guard isInside else { return line }
    if line.hasPrefix("        COMPREPLY+=($(compgen -W '") { return "        :" }
    guard line.hasPrefix("    __\(program)_offer_flags_options "), !verbs.isEmpty else {
      return line
    }
    return """
          if ((COMP_CWORD > 1)) && [[ ' \(words) ' == *" ${COMP_WORDS[1]} "* ]]; then
              unparsed_words=("${unparsed_words[@]:1}")
              "_\(program)_${COMP_WORDS[1]}"
              return
          fi
          if ((COMP_CWORD == 1)); then
              COMPREPLY+=($(compgen -W '\(words)' -- "${cur}"))
          fi
      \(line)
      """
  }

  private func forZsh(_ line: String, isInside: Bool) -> String? {
    guard isInside else { return line }
    switch line.trimmingPrefix(while: { $0 == " " }) {
    case "'(-): :->command'", "'(-)*:: :->arg'", "'help:Show subcommand help information.'":
      return nil
    case #"_arguments -w -s -S : "${arg_specs[@]}" && ret=0"# where !verbs.isEmpty:
      return """
            if ((CURRENT > 2)) && [[ ' \(words) ' == *" ${words[2]} "* ]]; then
                shift words
                ((CURRENT--))
                state=arg
            else
            \(line)
                if ((CURRENT == 2)); then state=command; fi
            fi
        """
    default: return line
    }
  }

  private func forFish(_ line: String, isInside: Bool) -> String? {
    if line.hasPrefix("complete ") {
      if line.contains(" -fa 'help' ") { return nil }
      // A verb is the first operand, however many others there may be.
      let place = #"_for_positional "\#(program)" -eq "#
      guard verbs.contains(where: { line.contains(" -fa '\($0)' ") }),
        let number = line.firstRange(of: place)?.upperBound
      else { return line }
      return line[..<number] + "1" + line[number...].drop(while: \.isNumber)
    }
    guard line.hasPrefix("        __\(program)_parse_subcommand "), !verbs.isEmpty else {
      return line
    }
    return """
              if contains -- "$unparsed_tokens[2]" \(words)
                  set -a commands $unparsed_tokens[1]
                  set -e unparsed_tokens[1]
              else
          \(line)
              end
      """
  }

  private var words: String { verbs.joined(separator: " ") }
}

/// A program with all that it takes, as shells offer it: the operands and options of one command, and the
/// verbs of another.
public struct WholeCommand<Operands: ParsableCommand, Verbs: ParsableCommand>: ParsableCommand {
  /// That of the program, with the verbs.
  public static var configuration: CommandConfiguration {
    var configuration = Operands.configuration
    configuration.subcommands = Verbs.configuration.subcommands
    return configuration
  }

  @OptionGroup var operands: Operands

  /// Makes one; nobody runs it.
  public init() {}
}
