/// Connection options from command-line arguments, as py-postgresql's programs take them.
///
/// `-h` `--host`, `-p` `--port`, `-U` `--username`, `-d` `--database`, `-W` `--password` (ask for
/// it), `--unix`, `--ssl-mode`, `-s name=value` (a server setting), `-I` `--iri`. They apply from
/// left to right; everything behind `--` and everything without a dash is an operand.
public struct CommandLineOptions: Sendable, Hashable {
  /// What the arguments say.
  public private(set) var options = ConnectionOptions()
  /// Whether a password is to be asked for.
  public private(set) var promptsForPassword = false
  /// The arguments that are no options.
  public private(set) var operands: [String] = []

  /// Reads arguments, without the program's name.
  ///
  /// - Throws: ``PGError`` with ``SQLState/clientParameterError`` naming the flag.
  public static func parse(_ arguments: [String]) throws(PGError) -> CommandLineOptions {
    var result = CommandLineOptions()
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "--" {
        result.operands += rest
        break
      }
      try result.take(argument, &rest)
    }
    return result
  }

  /// The options with the answer to the question for a password: its first line.
  ///
  /// The answer wins over a password that was given otherwise.
  public func answering(_ text: String) -> ConnectionOptions {
    var result = options
    result.password = String(text.prefix { !$0.isNewline })
    return result
  }

  private enum Meaning {
    case option(String)
    case setting, iri, prompt
  }

  private static func meaning(of flag: String) -> Meaning? {
    switch flag {
    case "-h", "--host": .option("host")
    case "-p", "--port": .option("port")
    case "-U", "--username": .option("user")
    case "-d", "--database": .option("dbname")
    case "--unix": .option("unix")
    case "--ssl-mode": .option("sslmode")
    case "-s": .setting
    case "-I", "--iri": .iri
    case "-W", "--password": .prompt
    default: nil
    }
  }

  private mutating func take(
    _ argument: String, _ rest: inout ArraySlice<String>
  ) throws(PGError) {
    guard argument.hasPrefix("-"), argument != "-" else { return operands.append(argument) }
    let (flag, attached) = Self.split(argument)
    guard let meaning = Self.meaning(of: flag) else {
      throw .option("\(flag) is not an option")
    }
    if case .prompt = meaning {
      guard attached == nil else {
        throw .option("\(flag) takes no value", hint: "The password is asked for.")
      }
      promptsForPassword = true
      return
    }
    guard let value = attached ?? rest.popFirst() else { throw .option("\(flag) needs a value") }
    try take(value, as: meaning, flag: flag)
  }

  private mutating func take(
    _ value: String, as meaning: Meaning, flag: String
  ) throws(PGError) {
    switch meaning {
    case .option(let name):
      try OptionKeyword[name]?.parse(value, into: &options, place: "of \(flag)")
    case .iri: options = options.overlaid(by: try ConnectionOptions.parse(value))
    case .setting:
      guard let equals = value.firstIndex(of: "="), equals != value.startIndex,
        !value.utf8.contains(0)
      else { throw .option("\(flag) needs name=value") }
      options.setSetting(String(value[..<equals]), to: String(value[equals...].dropFirst()))
    case .prompt: break
    }
  }

  /// Cuts `--flag=value` and `-fvalue`.
  private static func split(_ argument: String) -> (String, String?) {
    if argument.hasPrefix("--") {
      guard let equals = argument.firstIndex(of: "=") else { return (argument, nil) }
      return (String(argument[..<equals]), String(argument[equals...].dropFirst()))
    }
    let flag = String(argument.prefix(2))
    return (flag, argument.count > 2 ? String(argument.dropFirst(2)) : nil)
  }
}
