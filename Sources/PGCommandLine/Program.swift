public import ArgumentParser
internal import Glibc

/// Runs a command from its first word to its exit status.
///
/// Every path out of a program ends in ``end(_:)``, where stdout is checked: a program that could
/// not write its answer never ends with 0.
public enum Program {
  /// Describes a program: its help ends with examples and the table of statuses.
  ///
  /// - Parameters:
  ///   - name: The program's name.
  ///   - abstract: One line about it.
  ///   - discussion: What the options do not say.
  ///   - examples: Worked examples, one command line each; `-h` shows them.
  ///   - subcommands: Its verbs, if it has any.
  public static func configuration(
    name: String, abstract: String, discussion: String = "", examples: [String] = [],
    subcommands: [any ParsableCommand.Type] = []
  ) -> CommandConfiguration {
    CommandConfiguration(
      commandName: name, abstract: abstract,
      discussion: paragraphs([discussion, exampleText(examples), ExitStatus.table]),
      version: Version.line(program: name), subcommands: subcommands,
      helpNames: [.short, .long])
  }

  /// Runs the command that the command line describes, and ends the process.
  ///
  /// - Parameter plain: Reads command lines that need no parser, and gives what does what they ask for;
  ///   `nil` is any that does need it.
  public static func main<Command: ParsableCommand>(
    _ command: Command.Type, examples: [String] = [],
    plain: ([String]) -> (() throws -> Void)? = { _ in nil }
  ) -> Never {
    Descriptor.occupyStandardStreams()
    ArgumentMemory.hidePasswords()
    do {
      try requireText(program: name(of: command))
      if let run = plain(Array(CommandLine.arguments.dropFirst())) {
        try run()
      } else {
        var parsed = try Command.parseAsRoot()
        try parsed.run()
      }
      end(.ok, program: name(of: command))
    } catch {
      end(afterRunning: error, program: name(of: command)) { end(answering: $0, command, examples) }
    }
  }

  /// Whether a shell's completion is asked for, which has verbs and operands.
  public static var writesCompletion: Bool {
    CommandLine.arguments.dropFirst().first?.hasPrefix(CompletionScript.flag) == true
  }

  /// Runs what needs no command line read, and ends the process as ``main(_:examples:)`` does.
  public static func run(program: String, _ body: () throws -> Void) -> Never {
    Descriptor.occupyStandardStreams()
    do {
      try requireText(program: program)
      try body()
      end(.ok, program: program)
    } catch {
      end(afterRunning: error, program: program) { _ in
        end(.localFailure, program: program)
      }
    }
  }

  private static func end(
    afterRunning error: any Error, program: String, otherwise: (any Error) -> Never
  ) -> Never {
    switch error {
    case let failure as Failure:
      failure.diagnostic?.print(status: failure.status)
      end(failure.status, program: program)
    case let failure as StandardOutput.Failure: end(after: failure, program: program)
    default: otherwise(error)
    }
  }

  /// Ends the process with `status`, unless stdout could not be written: then with 1.
  public static func end(_ status: ExitStatus, program: String) -> Never {
    end(rawStatus: status.rawValue, program: program)
  }

  /// Ends the process with a status that is not of the table: a command's own, or `pg_ctl`'s.
  public static func end(rawStatus status: Int32, program: String) -> Never {
    do throws(StandardOutput.Failure) {
      try StandardOutput.shared.finish()
    } catch {
      end(after: error, program: program)
    }
    DiagnosticLog.shared.finish(program: program)
    exit(status)
  }

  /// A reader that went away ends a program as SIGPIPE does; every other failure is told.
  private static func end(after failure: StandardOutput.Failure, program: String) -> Never {
    if failure.isBrokenPipe { Signals.endProcess(by: SIGPIPE) }
    Diagnostic(program: program, message: failure.description).print(status: .localFailure)
    DiagnosticLog.shared.finish(program: program)
    exit(ExitStatus.localFailure.rawValue)
  }

  /// Refuses arguments that are not UTF-8: they would be repaired on their way to the parser, and
  /// something else stored or looked for than what was written.
  private static func requireText(program: String) throws(Failure) {
    for index in 0..<Int(CommandLine.argc) {
      guard let argument = CommandLine.unsafeArgv[index] else { return }
      let bytes = UnsafeRawBufferPointer(start: argument, count: strlen(argument))
      guard String(validating: bytes, as: UTF8.self) == nil else { continue }
      throw Failure(
        .usage,
        Diagnostic(
          program: program, message: "argument \(index) is not UTF-8",
          details: [("HINT", "convert it: iconv -f LATIN1 -t UTF-8")]))
    }
  }

  /// Answers what the parser throws: requests for help, and mistakes in the command line.
  private static func end<Command: ParsableCommand>(
    answering error: any Error, _ command: Command.Type, _ examples: [String]
  ) -> Never {
    let program = name(of: command)
    let code = Command.exitCode(for: error)
    var text = Command.fullMessage(for: error)
    if code.isSuccess {
      // A verb is missing where nothing at all is said: help is the answer, but not to the job.
      if CommandLine.argc < 2 {
        StandardError.print(text)
        end(.usage, program: program)
      }
      if writesCompletion, takesOperands(command) {
        text = CompletionScript(program: program, verbs: verbs(of: command)).mended(text)
      }
      writeAnswer(wantsShortHelp(text, command) ? shortHelp(command, examples) : text, program)
      end(.ok, program: program)
    }
    // It quotes the command line.
    let hint = UsageHint.text(for: text, CommandLine.arguments, verbs: verbs(of: command))
    StandardError.print(
      Diagnostic.escapingControls(headed(text, program) + (hint.map { "\nHINT: \($0)" } ?? "")))
    end(code == .validationFailure ? .usage : .localFailure, program: program)
  }

  private static func verbs<Command: ParsableCommand>(of command: Command.Type) -> [String] {
    var names: [String] = []
    for verb in command.configuration.subcommands {
      if let name = verb.configuration.commandName { names.append(name) }
    }
    return names
  }

  /// Whether anything but a verb may be the first word that is no option.
  private static func takesOperands<Command: ParsableCommand>(_ command: Command.Type) -> Bool {
    !Mirror(reflecting: Command()).children.isEmpty
  }

  private static func writeAnswer(_ text: String, _ program: String) {
    do throws(StandardOutput.Failure) {
      try StandardOutput.shared.write(text.hasSuffix("\n") ? text : text + "\n")
    } catch {
      end(after: error, program: program)
    }
  }

  /// The parser's message with the program's name before it, as all our messages have.
  private static func headed(_ text: String, _ program: String) -> String {
    let label = "Error: "
    return "\(program): \(text.hasPrefix(label) ? String(text.dropFirst(label.count)) : text)"
  }

  private static func name<Command: ParsableCommand>(of command: Command.Type) -> String {
    Command.configuration.commandName ?? Command._commandName
  }

  // MARK: Short help

  private static func wantsShortHelp<Command: ParsableCommand>(
    _ text: String, _ command: Command.Type
  ) -> Bool {
    let words = CommandLine.arguments.dropFirst().prefix { $0 != "--" }
    return words.contains("-h") && !words.contains("--help") && text == Command.helpMessage()
  }

  private static func shortHelp<Command: ParsableCommand>(
    _ command: Command.Type, _ examples: [String]
  ) -> String {
    let more = "See '\(name(of: command)) --help' for all of it."
    return paragraphs([exampleText(examples), "Usage: " + Command.usageString(), more])
  }

  private static func exampleText(_ examples: [String]) -> String {
    examples.isEmpty ? "" : examples.reduce("EXAMPLES:") { $0 + "\n  " + $1 }
  }

  /// The texts that say something, with empty lines between them.
  ///
  /// Every run of a program makes its configuration, and `joined` is slow the first time.
  private static func paragraphs(_ texts: [String]) -> String {
    texts.reduce("") { $1.isEmpty ? $0 : $0.isEmpty ? $1 : $0 + "\n\n" + $1 }
  }
}
