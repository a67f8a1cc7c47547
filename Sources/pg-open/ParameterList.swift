internal import Glibc
internal import PGCommandLine
internal import PGKit

/// The values of `$1`, `$2`, … from the command line, files and the environment.
struct ParameterList {
  private enum Value {
    case text(String)
    /// What a file holds, whatever that is.
    case bytes([UInt8])
    case null
  }

  private let values: [Value]

  /// Gathers them: what has a number gets it, and the others fill the numbers between.
  ///
  /// - Throws: ``Failure`` with status 64 if a number is given twice or missing, 1 for a file that cannot
  ///   be read.
  init(_ flags: ValueFlags) throws(Failure) {
    var numbered: [Int: Value] = [:]
    func set(_ number: Int, _ value: Value) throws(Failure) {
      guard (1...Self.limit).contains(number) else {
        throw .usage("a parameter has a number from 1 to \(Self.limit), and not \(number)")
      }
      guard numbered.updateValue(value, forKey: number) == nil else {
        throw .usage("parameter $\(number) is given twice")
      }
    }
    for text in flags.parameterFiles {
      let (number, path) = try Self.split(text, "--param-file")
      try set(number, .bytes(try TextFile.read(path, program: OpenCommand.program)))
    }
    for text in flags.parameterVariables {
      let (number, name) = try Self.split(text, "--param-env")
      guard let value = getenv(name) else {
        throw .usage("--param-env \(text): there is no variable \(name) in the environment")
      }
      try set(number, .text(String(cString: value)))
    }
    for number in flags.parameterNulls { try set(number, .null) }
    var values: [Value] = []
    var rest = flags.parameters[...]
    while !rest.isEmpty || !numbered.isEmpty {
      if let value = numbered.removeValue(forKey: values.count + 1) {
        values.append(value)
      } else if let text = rest.popFirst() {
        values.append(.text(text))
      } else {
        throw .usage("parameter $\(values.count + 1) has no value, but a later one has")
      }
    }
    self.values = values
  }

  /// The protocol counts parameters in 16 bits.
  private static let limit = 65_535

  /// How many there are.
  var count: Int { values.count }

  /// Whether the server must say what the first `count` are before they can be written as text.
  func needsTypes(first count: Int) -> Bool {
    values.prefix(count).contains { if case .bytes = $0 { true } else { false } }
  }

  /// The first `count` in their types' text form.
  ///
  /// - Parameter types: What the server says of them; needed for files only.
  /// - Throws: ``Failure`` with status 1 if a file is no text and its parameter no bytea.
  func texts(first count: Int, types: [TypeOID] = []) throws(Failure) -> [String?] {
    var texts: [String?] = []
    for (index, value) in values.prefix(count).enumerated() {
      switch value {
      case .null: texts.append(nil)
      case .text(let text): texts.append(text)
      case .bytes(let bytes):
        if index < types.count, types[index] == .bytea {
          texts.append("\\x" + Self.hexadecimal(bytes))
        } else if let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) {
          texts.append(text)
        } else {
          throw Failure(
            .localFailure,
            Diagnostic(
              program: OpenCommand.program,
              message: "the file of parameter $\(index + 1) is not UTF-8 text",
              details: [("HINT", "a bytea takes any file: write $\(index + 1)::bytea")]))
        }
      }
    }
    return texts
  }

  private static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: bytes.count * 2) { text in
      for (index, byte) in bytes.enumerated() {
        text[2 * index] = digits[Int(byte >> 4)]
        text[2 * index + 1] = digits[Int(byte & 15)]
      }
      return bytes.count * 2
    }
  }

  private static func split(
    _ text: String, _ flag: String
  ) throws(Failure) -> (number: Int, rest: String) {
    guard let equals = text.firstIndex(of: "="), let number = Int(text[..<equals]) else {
      throw .usage("\(flag) needs a parameter's number, an equals sign and a name: \(flag) 1=name")
    }
    return (number, String(text[equals...].dropFirst()))
  }
}

/// The variables of `-v`.
enum VariableList {
  /// Reads them.
  ///
  /// - Throws: ``Failure`` with status 64 for what has no name.
  static func parse(_ texts: [String]) throws(Failure) -> [String: String] {
    var variables: [String: String] = [:]
    for text in texts {
      guard let equals = text.firstIndex(of: "="), equals > text.startIndex,
        text[..<equals].allSatisfy({ $0 == "_" || !$0.isASCII || $0.isLetter || $0.isWholeNumber })
      else {
        throw .usage("-v needs name=value, the name of letters, digits and underscores: -v \(text)")
      }
      variables[String(text[..<equals])] = String(text[equals...].dropFirst())
    }
    return variables
  }
}
