internal import PGErrorCodes

/// What the parser's messages about mistakes in a command line leave out: the remedy.
enum UsageHint {
  /// The remedy for a mistake, if it is a frequent one.
  ///
  /// - Parameters:
  ///   - message: What the parser says.
  ///   - arguments: The command line, with the program's name.
  ///   - verbs: The program's verbs.
  static func text(for message: String, _ arguments: [String], verbs: [String]) -> String? {
    if message.contains("Unknown option '-- ") {
      return "what begins with two dashes is an operand only behind --, or an option's value"
    }
    if message.contains("Missing expected argument"),
      let place = arguments.dropFirst().firstIndex(of: "")
    {
      return "argument \(place) is empty; is a variable not set?"
    }
    if let option = quoted(after: "Missing value for '", in: message) {
      return dashed(option, arguments)
    }
    if message.contains("is invalid for '"), message.contains("<duration>'") {
      return "\(DurationArgument.form), at most \(DurationArgument.limitText)"
    }
    if let word = quoted(after: "Unexpected argument '", in: message), !verbs.isEmpty,
      arguments.dropFirst().first(where: { !$0.hasPrefix("-") }) == word, !verbs.contains(word)
    {
      return likely(word, verbs)
    }
    return nil
  }

  /// The text between a beginning and the next quote or the name of a value.
  private static func quoted(after beginning: String, in message: String) -> String? {
    guard let start = message.firstRange(of: beginning)?.upperBound else { return nil }
    return String(message[start...].prefix { $0 != "'" && $0 != " " })
  }

  /// A value that begins with a dash was taken for an option.
  private static func dashed(_ option: String, _ arguments: [String]) -> String? {
    guard let place = arguments.firstIndex(of: option), arguments.indices.contains(place + 1),
      arguments[place + 1].hasPrefix("-"), arguments[place + 1] != "--"
    else { return nil }
    let value = arguments[place + 1]
    let isNumber = value.dropFirst().first?.isNumber == true
    return "\(value) was read as an option; a value that begins with a dash is written "
      + "\(option)=\(value)" + (isNumber ? ", but nothing negative makes sense here" : "")
  }

  private static func likely(_ word: String, _ verbs: [String]) -> String {
    var near = verbs.filter { word.count > 1 && $0.hasPrefix(word) }
    if let nearest = NearMiss.word(for: word, among: verbs), !near.contains(nearest) {
      near.append(nearest)
    }
    if near.isEmpty { return "the verbs are \(verbs.joined(separator: ", "))" }
    return "did you mean \(near.joined(separator: " or "))?"
  }
}
