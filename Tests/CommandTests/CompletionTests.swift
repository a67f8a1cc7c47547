import Foundation
import Glibc
import Testing

/// What shells offer for the last word of a command line, asked in the shells themselves.
@Suite("Completions") struct CompletionTests {
  enum Shell: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case bash, zsh, fish

    var testDescription: String { rawValue }

    var place: String? {
      ["/usr/bin/", "/bin/", "/usr/local/bin/"].map { $0 + rawValue }.first {
        access($0, X_OK) == 0
      }
    }

    /// How the script of a program is called where it is installed.
    func name(of tool: ContractTool) -> String {
      switch self {
      case .bash: tool.rawValue
      case .zsh: "_" + tool.rawValue
      case .fish: tool.rawValue + ".fish"
      }
    }

    /// Prints what is offered, one a line, to a folder of scripts, a script's name, a program and a line.
    var question: [String] {
      switch self {
      case .bash: ["--norc", "-c", Self.bashQuestion, "bash"]
      case .zsh: ["-f", "-c", Self.zshQuestion, "zsh"]
      case .fish: ["--no-config", "-i", "-c", Self.fishQuestion]
      }
    }

    /// Without its editor fish does not know where in the last word the cursor is: here it is at the end.
    private static let fishQuestion = #"""
      source $argv[1]/$argv[2]
      function commandline
        if contains -- -tC $argv
          string length -- "$(builtin commandline -t)"
        else
          builtin commandline $argv
        end
      end
      complete -C"$argv[4]"
      """#

    private static let bashQuestion = #"""
      source "$1/$2"
      read -ra COMP_WORDS <<<"$4"
      if [[ $4 == *' ' ]]; then COMP_WORDS+=(''); fi
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE=$4 COMP_POINT=${#4} COMPREPLY=()
      "$(complete -p "$3" | sed 's/.*-F \([^ ]*\).*/\1/')" "$3" "${COMP_WORDS[COMP_CWORD]}" \
        "${COMP_WORDS[COMP_CWORD - 1]}"
      printf '%s\n' "${COMPREPLY[@]}"
      """#

    /// zsh completes in its editor only, for which it needs a terminal; whatever is added to the list there
    /// is printed.
    private static let zshQuestion = #"""
      zmodload zsh/zpty
      zpty shell zsh -f -i
      zpty -w shell "fpath=(${(q)1} \$fpath) PROMPT= RPROMPT="
      zpty -w shell 'autoload -Uz compinit && compinit -u -D
      compadd() {
        local -a offers
        if [[ " ${@[1,(i)(-|--)]} " != *" -"[OAD]" "* ]]; then
          builtin compadd -A offers "$@"
          print -rl -- "OFFER "$^offers
        fi
        builtin compadd "$@"
      }
      finish() { print -r -- "END" "OF OFFERS"; exit }
      comppostfuncs=(finish)
      bindkey "^I" complete-word
      print -r "READY" "NOW"'
      zpty -r shell out '*READY NOW*'
      zpty -w -n shell "$4"$'\t'
      zpty -r shell out '*END OF OFFERS*'
      print -r -- "$out" | tr -d '\r' | sed -n -e 's/^.*OFFER //p' -e '/^_[a-z]*:/s/^/COMPLAINT /p'
      """#
  }

  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  /// What a shell offers behind the program's name and `line`; `nil`, which is said aloud, where there is no
  /// such shell.
  private func offers(
    _ shell: Shell, _ tool: ContractTool, _ line: String,
    location: SourceLocation = #_sourceLocation
  ) throws -> Set<String>? {
    guard let place = shell.place else {
      print("completion of \(tool.rawValue) is not tried: there is no \(shell)")
      return nil
    }
    let name = shell.name(of: tool)
    let script = try tool.program.run(["--generate-completion-script", shell.rawValue])
    #expect(script.end == .exit(0), "\(script)", sourceLocation: location)
    try folder.write(script.output, to: name)
    let programs = URL(filePath: tool.program.path).deletingLastPathComponent().path
    let outcome = try BuiltProgram(absolute: place).run(
      shell.question + [folder.path, name, tool.rawValue, "\(tool.rawValue) \(line)"],
      environment: [
        "PATH": programs + ":/usr/bin:/bin", "HOME": folder.path, "TERM": "vt100",
        "LC_ALL": "C.UTF-8",
      ])
    #expect(outcome.end == .exit(0), "\(outcome)", sourceLocation: location)
    #expect(!outcome.output.contains("COMPLAINT"), "\(outcome)", sourceLocation: location)
    #expect(!outcome.errors.contains(name), "\(outcome)", sourceLocation: location)
    // fish puts what a word means behind a tabulator.
    return Set(outcome.lines.map { String($0.prefix { $0 != "\t" }) })
  }

  /// What is offered and no option; bash offers those as well where nothing is written yet.
  private func words(
    _ shell: Shell, _ tool: ContractTool, _ line: String
  ) throws -> Set<String>? {
    try offers(shell, tool, line)?.filter { !$0.hasPrefix("-") }
  }

  private func help(_ tool: ContractTool, _ verbs: [String] = []) throws -> [Substring] {
    try tool.program.run(
      verbs + ["--help"], environment: ["COLUMNS": "100000", "PATH": "/usr/bin:/bin"]
    ).lines
  }

  /// The long options that a help has, each in the words before what it means.
  private func options(_ tool: ContractTool, _ verbs: [String] = []) throws -> Set<String> {
    Set(
      try help(tool, verbs).flatMap { line in
        let label = line.prefixMatch(of: #/  (\S+( \S+)*)/#)?.1 ?? ""
        return label.hasPrefix("-")
          ? label.matches(of: #/--[a-z][a-z0-9-]*/#).map { String($0.output) } : []
      })
  }

  /// Those of what is offered; there are codes that begin like options.
  private func options(among offers: Set<String>) -> Set<String> {
    offers.filter { $0.wholeMatch(of: #/--[a-z][a-z0-9-]+/#) != nil }
  }

  @Test(
    "every shell offers every option", arguments: ContractTool.allCases, Shell.allCases)
  func allOptions(tool: ContractTool, shell: Shell) throws {
    guard let offers = try offers(shell, tool, "--") else { return }
    let options = try options(tool)
    #expect(options.count > 1)
    #expect(options.subtracting(offers).sorted() == [])
    #expect(self.options(among: offers).subtracting(options).sorted() == [])
  }

  @Test(
    "verbs are offered in place of the first operand, and nothing that is none",
    arguments: ContractTool.allCases, Shell.allCases)
  func verbs(tool: ContractTool, shell: Shell) throws {
    guard let offers = try words(shell, tool, "") else { return }
    switch tool {
    case .open: #expect(offers == [])
    case .copy: #expect(offers == ["resolve"])
    case .listen: #expect(offers == ["durable"])
    case .errorCode:
      #expect(offers.isSuperset(of: ["filter", "lint"]))
      #expect(!offers.contains("help"))
    case .cluster:
      let listed = try help(tool).drop { $0 != "SUBCOMMANDS:" }.compactMap {
        $0.prefixMatch(of: #/  ([a-z]+) /#).map { String($0.1) }
      }
      #expect(listed.count > 10)
      #expect(offers == Set(listed + ["help"]))
    }
  }

  @Test(
    "the options of a verb are offered behind it",
    arguments: [
      (ContractTool.copy, ["resolve"]), (.errorCode, ["filter"]), (.errorCode, ["lint"]),
      (.listen, ["durable", "install"]), (.listen, ["durable", "status"]), (.cluster, ["run"]),
      (.cluster, ["db", "new"]),
    ], Shell.allCases)
  func optionsOfVerbs(verb: (ContractTool, [String]), shell: Shell) throws {
    let (tool, words) = verb
    let line = words.joined(separator: " ") + " --"
    guard let offers = try offers(shell, tool, line) else { return }
    #expect(options(among: offers) == (try options(tool, words)))
  }

  @Test("the verbs of a verb are offered behind it", arguments: Shell.allCases)
  func verbsOfVerbs(shell: Shell) throws {
    guard let offers = try words(shell, .listen, "durable ") else { return }
    #expect(offers == ["install", "status"])
    #expect(try words(shell, .cluster, "db ") == ["new", "drop"])
  }

  @Test(
    "options are offered behind operands, and words of which an option takes one",
    arguments: Shell.allCases)
  func values(shell: Shell) throws {
    guard let behind = try offers(shell, .listen, "pq:// news --") else { return }
    #expect(behind.isSuperset(of: ["--count", "--exec", "--format"]))
    #expect(try offers(shell, .open, "pq:// --")?.contains("--param") == true)
    #expect(try offers(shell, .copy, "pq:// orders --t")?.contains("--to") == true)
    #expect(try offers(shell, .open, "--format ")?.isSuperset(of: ["table", "jsonl"]) == true)
    #expect(try offers(shell, .errorCode, "unique_v")?.contains("unique_violation") == true)
    #expect(try offers(shell, .errorCode, "23505 unique_v")?.contains("unique_violation") == true)
  }

  @Test("files are offered where a file is asked for", arguments: Shell.allCases)
  func files(shell: Shell) throws {
    try folder.write("SELECT 1", to: "query.sql")
    for (tool, option) in [(ContractTool.open, "-f"), (.cluster, "run --seed")] {
      guard let offers = try offers(shell, tool, "\(option) \(folder.path)/que") else { return }
      #expect(offers.contains { $0.hasSuffix("query.sql") }, "\(offers)")
    }
  }
}
